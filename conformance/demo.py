"""The README's first command, in a process of its own, on any free port."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

COMMAND = [sys.executable, "-m", "stacbridge", "serve", "--demo", "--port", "0"]


@contextmanager
def running(**environment: str) -> Iterator[str]:
    """Run `stacbridge serve --demo` with more in its environment; yield its URL."""
    whole = os.environ | environment
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, env=whole) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("Ready: "):
                    break
            else:
                pytest.fail("the demo did not become ready")
            yield line.removeprefix("Ready: ").strip()
        finally:
            process.terminate()
