"""stac-api-validator on the demo, all catalogues on, with schemas from files."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from conformance.demo import running

ROOT = Path(__file__).parent.parent
CLASSES = (
    *("core", "collections", "features", "item-search", "filter"),
    *("item-search#sort", "item-search#fields"),
)
ALPS = {"type": "Polygon", "coordinates": [[[5, 40], [15, 40], [15, 50], [5, 50], [5, 40]]]}


@pytest.mark.skipif(
    "STACBRIDGE_SCHEMAS" not in os.environ, reason="STACBRIDGE_SCHEMAS names no folder of extensions' schemas"
)
def test_stac_api_validator_finds_no_error() -> None:
    # It reads a page of each of 200 collections several times over, and need not read a hundred items.
    with running(STACBRIDGE_DEFAULT_LIMIT="10") as url:
        done = validated(url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Errors: none" in done.stdout


def validated(url: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "conformance.validator", "--root-url", url, "--validate-pagination"]
    for name in CLASSES:
        command += ["--conformance", name]
    command += ["--collection", "sentinel-2-l2a", "--geometry", orjson.dumps(ALPS).decode()]
    command += ["--fields-nested-property", "properties.eo:cloud_cover"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
