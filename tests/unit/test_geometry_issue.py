"""Filters on what an Item says of a footprint that makes no sense."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stacbridge.cql.matching import condition
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Page, Query
from tests.opensearch.services import Service, feature, turned
from tests.opensearch.services import mapping as opensearch
from tests.unit.odata_archive import Archive
from tests.unit.toy import grd, toy

ISSUE = "stacbridge:geometry_issue"
MISSING: Json = {"op": "isNull", "args": [{"property": ISSUE}]}
SENSELESS = {"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [2, 2], [0, 0]]]}


Search = Callable[[Path, Query], tuple[Mapping, Page]]


def odata(_: Path, query: Query) -> tuple[Mapping, Page]:
    products = [grd(Id="1", Name="SOUND.SAFE"), grd(Id="2", Name="ODD.SAFE", GeoFootprint=SENSELESS)]
    return toy(), Archive(products).page(ODataSets(toy()), query)


def by_opensearch(folder: Path, query: Query) -> tuple[Mapping, Page]:
    features = [feature(1) | {"id": "SOUND"}, feature(2) | {"id": "ODD", "geometry": SENSELESS}]
    service = Service(lambda asked: {"totalResults": 2, "features": features})
    catalogue = opensearch(folder)
    return catalogue, turned(service, catalogue, query)


@pytest.mark.parametrize("archive", [odata, by_opensearch])
@pytest.mark.parametrize(
    ("filter", "named"), [(MISSING, ["SOUND"]), ({"op": "not", "args": [MISSING]}, ["ODD"])]
)
def test_items_whose_footprint_makes_no_sense_are_found_by_their_saying_so(
    tmp_path: Path, archive: Search, filter: Json, named: list[str]
) -> None:
    mapping, page = archive(tmp_path, Query(filter=filter))
    items = mapping.items(page.records, "")[0]
    assert [item["id"] for item in items if not page.checked or condition(filter)(item)] == named
