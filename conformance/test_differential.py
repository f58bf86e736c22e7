"""The short form of the differential proof: `python -m conformance.differential` asks thousands."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_searches_over_all_catalogues_find_what_looking_at_every_item_finds() -> None:
    command = [sys.executable, "-m", "conformance.differential", "--examples", "100", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 differences" in done.stdout
