"""The short form of the walks: `python -m conformance.walks` takes the long ones."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "walk", ["cdse", "alike", "at-once", "sedas", "sedas-at-once", "terrascope", "instant"]
)
def test_a_walk_gives_each_item_once_and_loses_none(walk: str) -> None:
    command = [sys.executable, "-m", "conformance.walks", "--short", "--only", walk]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
