"""Real answers of CDSE's OData become valid Items, which agree with those of CDSE's own STAC catalogue."""

import json
import os
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import orjson
import pytest

from stacbridge.dialects.odata import OData
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Reply
from stacbridge.settings import Settings
from tests.schemas import faults
from tests.targets import record

Json = dict[str, Any]

ROOT = "https://bridge.example"
RECORDINGS = Path(os.environ["STACBRIDGE_RECORDINGS"]) if "STACBRIDGE_RECORDINGS" in os.environ else None
EXCEPTIONS = tomllib.loads(
    (Path(__file__).parent / "catalogues/cdse/exceptions.toml").read_text(encoding="utf-8")
)
NOT_IN_ODATA = "Copernicus_DSM_COG_10_N00_00_E006_00_DEM"
"""The one published Item that names no OData product: CDSE made it from files outside its catalogue."""

pytestmark = pytest.mark.skipif(RECORDINGS is None, reason="STACBRIDGE_RECORDINGS names no folder")


def _lists(folder: Path) -> Iterator[Path]:
    """Iterate over the recorded lists of products."""
    for file in sorted(folder.rglob("*.json")):
        if file.parent.name != "doc-extracts" and b'"@odata.mediaContentType"' in file.read_bytes():
            yield file


PAGES = list(_lists(RECORDINGS / "odata")) if RECORDINGS else []
TARGETS: list[Json] = [
    json.loads(file.read_text(encoding="utf-8"))
    for file in (sorted((RECORDINGS / "stac-targets/items").glob("*.json")) if RECORDINGS else [])
    if file.stem != NOT_IN_ODATA
]
COLLECTIONS = sorted((RECORDINGS / "stac-targets/collections").glob("*.json")) if RECORDINGS else []


@pytest.fixture(scope="module")
def cdse() -> Mapping:
    return load("cdse", Settings())


def _seen(item: Json) -> Json:
    """Return an Item as a client sees it."""
    seen: Json = orjson.loads(orjson.dumps(item))
    return seen


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_recorded_product_becomes_a_valid_item(cdse: Mapping, file: Path) -> None:
    page = OData(cdse).read(Reply(200, {}, file.read_bytes()))
    items, skipped = cdse.items(page.records, ROOT)
    assert skipped == []
    assert len(items) == len(page.records) > 0
    assert [fault for item in items for fault in faults(_seen(item))] == []


def _translated(cdse: Mapping, target: Json) -> Json:
    return _seen(cdse.item(record(target), ROOT))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["id"][:32])
def test_an_item_is_called_as_in_cdses_catalogue_and_valid(cdse: Mapping, target: Json) -> None:
    item = _translated(cdse, target)
    assert (item["id"], item["collection"]) == (target["id"], target["collection"])
    assert faults(item) == []


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["id"][:32])
def test_properties_agree_with_cdses_catalogue_but_for_listed_exceptions(cdse: Mapping, target: Json) -> None:
    excepted = {name for name, _ in _excused_properties(target)}
    assert _property_differences(cdse, target) - excepted == set()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["id"][:32])
def test_assets_agree_with_cdses_catalogue_but_for_listed_exceptions(cdse: Mapping, target: Json) -> None:
    assert set(target["assets"]) - set(_translated(cdse, target)["assets"]) == set()
    excepted = {place for place, _ in _excused_members(target)}
    assert _asset_differences(cdse, target) - excepted == set()


def test_no_listed_exception_is_out_of_date(cdse: Mapping) -> None:
    used: set[int] = set()
    for target in TARGETS:
        properties, members = _property_differences(cdse, target), _asset_differences(cdse, target)
        used |= {number for name, number in _excused_properties(target) if name in properties}
        used |= {number for place, number in _excused_members(target) if place in members}
    listed = [*EXCEPTIONS["property"], *EXCEPTIONS["asset"]]
    assert [entry["reason"] for number, entry in enumerate(listed) if number not in used] == []


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["id"][:32])
def test_what_is_excepted_in_part_agrees_in_the_rest(cdse: Mapping, target: Json) -> None:
    published, ours = target["properties"], _translated(cdse, target)["properties"]
    for cover, percent in ours.get("statistics", {}).items():
        assert percent == published["statistics"][cover]
    if "sat:anx_datetime" in ours:
        moments = [datetime.fromisoformat(properties["sat:anx_datetime"]) for properties in (published, ours)]
        assert abs(moments[0] - moments[1]) < timedelta(milliseconds=1)


@pytest.mark.parametrize("file", COLLECTIONS, ids=lambda file: file.stem)
def test_cdses_collections_are_here_under_the_same_id(cdse: Mapping, file: Path) -> None:
    published = json.loads(file.read_text(encoding="utf-8"))
    ours = cdse.collections[published["id"]]
    assert (ours["title"], ours["license"]) == (published["title"], published["license"])


def _property_differences(cdse: Mapping, target: Json) -> set[str]:
    ours = _translated(cdse, target)["properties"]
    return {
        name
        for name, value in target["properties"].items()
        if value is not None and not _equal(ours.get(name), value)
    }


def _equal(ours: Any, published: Any) -> bool:
    """Compare values; times are equal however many digits of a second they are written with."""
    return bool(ours == published) or (_moment(ours) is not None and _moment(ours) == _moment(published))


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


COMPARED = (
    "type",
    "title",
    "roles",
    "bands",
    "gsd",
    "data_type",
    "nodata",
    "sar:polarizations",
    "file:local_path",
)


def _asset_differences(cdse: Mapping, target: Json) -> set[tuple[str, str]]:
    ours = _translated(cdse, target)["assets"]
    return {
        (key, member)
        for key, asset in target["assets"].items()
        for member in COMPARED
        if member in asset and ours[key].get(member) != asset[member] and not _unstated(ours[key], member)
    }


def _unstated(ours: Json, member: str) -> bool:
    """Tell whether it is the path of a file that has to be found by listing, or is not inside the product."""
    return member == "file:local_path" and member not in ours


def _excused_properties(target: Json) -> Iterator[tuple[str, int]]:
    for number, entry in enumerate(EXCEPTIONS["property"]):
        if fnmatchcase(target["collection"], entry["collections"]):
            for name in target["properties"]:
                if any(fnmatchcase(name, pattern) for pattern in entry["names"]):
                    yield name, number


def _excused_members(target: Json) -> Iterator[tuple[tuple[str, str], int]]:
    for number, entry in enumerate(EXCEPTIONS["asset"], len(EXCEPTIONS["property"])):
        if fnmatchcase(target["collection"], entry["collections"]):
            for key in target["assets"]:
                if any(fnmatchcase(key, pattern) for pattern in entry["keys"]):
                    yield from (((key, member), number) for member in entry["members"])
