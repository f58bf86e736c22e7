"""stac-api-validator on the demo, all catalogues on, with schemas from files."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parent.parent
CLASSES = (
    *("core", "collections", "features", "item-search", "filter"),
    *("item-search#sort", "item-search#fields"),
)
ALPS = {"type": "Polygon", "coordinates": [[[5, 40], [15, 40], [15, 50], [5, 50], [5, 40]]]}


@pytest.mark.skipif(
    "STACBRIDGE_SCHEMAS" not in os.environ, reason="STACBRIDGE_SCHEMAS names no folder of extensions' schemas"
)
def test_stac_api_validator_finds_no_error(demo: str) -> None:
    command = [sys.executable, "-m", "conformance.validator", "--root-url", demo, "--validate-pagination"]
    for name in CLASSES:
        command += ["--conformance", name]
    command += ["--collection", "sentinel-2-l2a", "--geometry", orjson.dumps(ALPS).decode()]
    command += ["--fields-nested-property", "properties.eo:cloud_cover"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Errors: none" in done.stdout
