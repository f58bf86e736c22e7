"""One bridge for all proofs: the README's first command, on any free port."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.home import leave

leave()


@pytest.fixture(scope="session")
def demo() -> Iterator[str]:
    """Run `stacbridge serve --demo`; give its URL."""
    command = [sys.executable, "-m", "stacbridge", "serve", "--demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
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
