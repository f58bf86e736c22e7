import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.dialects.odata import OData
from stacbridge.dialects.odata_page import READ, ProductPage
from stacbridge.mapping.mapping import load
from stacbridge.model import Json, Reply
from stacbridge.settings import Settings
from tests.unit.toy import ROOT, grd, toy

MAPPING = toy()
DIALECT = OData(MAPPING)
PAGE = ProductPage(MAPPING.specs.values())
SPOILER: Json = {"Id": [], "Name": "a product that is unlike any other"}

ODD: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


def listed(record: Json) -> Json:
    """A record with its attributes as OData lists them."""
    attributes = [
        {"Name": name, "Value": value, "ValueType": "?"} for name, value in record["Attributes"].items()
    ]
    return {**record, "Attributes": attributes}


def page(*products: Json, **told: Any) -> Reply:
    return Reply(200, {}, json.dumps({"value": products, **told}).encode())


def items(reply: Reply) -> list[Json]:
    return MAPPING.items(DIALECT.read(reply).records, ROOT)[0]


def test_what_nothing_reads_is_not_made() -> None:
    unread = {"Attributes": {**grd()["Attributes"], "unread": "of no row"}}
    listing = PAGE.read(page(listed(grd(ContentType="application/octet-stream", **unread))).body)
    assert listing is not None
    (record,) = listing.records
    assert record["Attributes"] == grd()["Attributes"]
    assert "ContentType" not in record
    assert items(page(listed(grd()))) == MAPPING.items([grd()], ROOT)[0]


def test_a_page_says_how_many_there_are_and_that_others_follow() -> None:
    whole = page(listed(grd()), **{"@odata.count": 7, "@odata.nextLink": "https://…"})
    for reply in (whole, page()):
        found, told = PAGE.read(reply.body), orjson.loads(reply.body)
        assert found is not None
        assert (found.count, found.more) == (told.get("@odata.count"), "@odata.nextLink" in told)


@pytest.mark.parametrize("geojson", [{"GeoFootprint": None}, {}])
def test_the_footprint_as_text_is_read_where_there_is_none_as_geojson(geojson: Json) -> None:
    text = "geography'SRID=4326;POLYGON ((10 50, 11 50, 11 51, 10 51, 10 50))'"
    bare = {name: value for name, value in listed(grd()).items() if name != "GeoFootprint"}
    first, second = items(page({**bare, **geojson, "Footprint": text}, listed(grd())))
    assert first["geometry"] == second["geometry"]


@pytest.mark.parametrize("number", [2**63, 10**30, -(10**30)])
def test_a_number_beyond_64_bits_spoils_nothing(number: int) -> None:
    body = page(listed(grd(attributes={"orbitNumber": 111222333}))).body.replace(b"111222333", b"%d" % number)
    (item,) = items(Reply(200, {}, body))
    assert orjson.loads(orjson.dumps(item))["id"] == items(page(listed(grd())))[0]["id"]


@settings(deadline=None)
@given(st.sampled_from([*READ, "ContentDate", "PublicationDate", "Footprint"]), ODD)
def test_a_product_makes_the_same_item_whatever_the_others_on_its_page_are_like(
    name: str, value: Any
) -> None:
    sound = listed(grd())
    alone = orjson.dumps(items(page(sound)))
    odd = page(sound, {**sound, name: value})
    spoilt = page(sound, {**sound, name: value}, SPOILER)
    assert PAGE.read(spoilt.body) is None
    assert orjson.dumps(items(odd)) == orjson.dumps(items(spoilt))
    assert orjson.dumps(items(odd)).startswith(alone[:-1])


def test_the_pages_of_cdse_are_as_they_should_be() -> None:
    if "STACBRIDGE_RECORDINGS" not in os.environ:
        pytest.skip("STACBRIDGE_RECORDINGS names no folder")
    cdse = load("cdse", Settings())
    typed = ProductPage(cdse.specs.values())
    folder = Path(os.environ["STACBRIDGE_RECORDINGS"]) / "odata"
    bodies = [file.read_bytes() for file in folder.rglob("odata_page_*.json")]
    assert bodies
    assert all(typed.read(body) for body in bodies)
