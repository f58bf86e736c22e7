"""stac-api-validator finds no error, and what the API serves is valid against the published schemas."""

import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from conformance.validator.schemas import check

ROOT = Path(__file__).parents[2]
CLASSES = (
    *("core", "collections", "features", "item-search", "filter"),
    *("item-search#sort", "item-search#fields"),
)
AREA = '{"type": "Polygon", "coordinates": [[[10, 10], [31, 10], [31, 31], [10, 31], [10, 10]]]}'


@pytest.mark.parametrize("path", ["", "/catalogues/alpha"])
def test_stac_api_validator_finds_no_error(bridge: str, path: str) -> None:
    command = [sys.executable, "-m", "conformance.validator", "--root-url", f"{bridge}{path}"]
    command += ["--log-level", "ERROR"]
    for name in CLASSES:
        command += ["--conformance", name]
    command += ["--collection", "optical-l1", "--geometry", AREA, "--validate-pagination"]
    command += ["--fields-nested-property", "properties.eo:cloud_cover"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert "Errors: none" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("path", ["/", "/collections/optical-l1", "/collections/thermal-l2"])
def test_catalogs_and_collections_are_valid(api: TestClient, path: str) -> None:
    check(api.get(path).json())


def test_items_are_valid_on_their_own_and_in_searches(api: TestClient) -> None:
    check(api.get("/collections/radar-grd/items/radar-grd-0003").json())
    for item in api.get("/search?limit=30").json()["features"]:
        check(item)
