"""The benchmark's short form still measures everything; its figures are for reading, not for passing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PEER = shutil.which("nginx")


@pytest.mark.skipif(PEER is None, reason="nginx, the peer that downloads are measured against, is missing")
def test_the_benchmark_runs() -> None:
    command = [sys.executable, "-m", "conformance.benchmark", "--short"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    for measured in (
        "cold start",
        "kept by nginx",
        "us/item",
        "over no filter",
        "for one more",
        "200 in flight",
        "the least facade",
        "CPU s/GB",
        "one stream over TLS",
        "ms CPU a read",
        "memory with 100 slow readers",
    ):
        assert measured in done.stdout
