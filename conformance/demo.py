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
        try:
            yield ready(process)
        finally:
            process.terminate()


def ready(process: "subprocess.Popen[str]") -> str:
    """Return the URL that a bridge tells once it answers."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Ready: "):
            return line.removeprefix("Ready: ").strip()
    pytest.fail("the demo did not become ready")
