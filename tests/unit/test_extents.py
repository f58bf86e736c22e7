"""Boxes that upstreams tell of their Collections are ones that a search by place can read."""

from pathlib import Path
from typing import Any

import pytest

from stacbridge.api.collection_search import select
from stacbridge.dialects.opensearch import discovery
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.unit.stac_apis import api

CCM_SAR = [-179.95546, -81.05, 179.96101, 143.99498]
"""What CDSE's STAC API tells of `ccm-sar`."""
EUROPE, WORLD = [-10, 35, 30, 70], [[-180, -90, 180, 90]]
ODD: list[Any] = [
    CCM_SAR,
    [0, -90, 360, 90],
    [-180.5, -90, 180, 90],
    [-10, 70, 30, 35],
    [-10, 35, 30],
    [-10, 35, None, 70],
    [-10, 35, 9, 30, 70, 0],
    [-10, 35, "east", 70],
    "-10,35,30,70",
    None,
]


def passed_through(folder: Path, *boxes: Any) -> Json:
    """Return a Collection of another STAC API as it is adopted."""
    links = [{"rel": "items", "href": "https://stac.example/v1/collections/told/items"}]
    extent = {"spatial": {"bbox": [*boxes]}, "temporal": {"interval": [[None, None]]}}
    found = api(folder).translation.collection({"id": "told", "extent": extent, "links": links})
    assert found is not None
    return found


def discovered(box: Any, footprint: Json | None = None) -> list[Any]:
    """Return the boxes of a collection that an OpenSearch service describes."""
    feature = {"bbox": box, "geometry": footprint, "properties": {}}
    boxes: list[Any] = discovery.collection(feature, "told")["extent"]["spatial"]["bbox"]
    return boxes


@pytest.mark.parametrize("box", ODD)
def test_a_box_that_is_none_is_the_world_in_both_dialects(tmp_path: Path, box: Any) -> None:
    assert passed_through(tmp_path, box)["extent"]["spatial"]["bbox"] == WORLD
    assert discovered(box) == WORLD


@pytest.mark.parametrize("box", [EUROPE, [170, -20, -170, 20], [-10, 35, 0, 30, 70, 9]])
def test_a_box_that_can_be_read_stays_as_it_is_in_both_dialects(tmp_path: Path, box: list[float]) -> None:
    assert passed_through(tmp_path, CCM_SAR, box)["extent"]["spatial"]["bbox"] == [box]
    assert discovered(box) == [box]


def test_a_footprint_takes_the_place_of_a_box_that_is_none() -> None:
    point = {"type": "Point", "coordinates": [10, 50]}
    assert discovered([0, -90, 360, 90], point) == [[10, 50, 10, 50]]


@pytest.mark.parametrize("box", ODD)
@pytest.mark.parametrize(
    "pair", [("bbox", "10,50,11,51"), ("filter", "S_INTERSECTS(geometry, POINT(10 50))"), ("sortby", "id")]
)
def test_a_collection_with_an_odd_box_is_found_and_hides_no_other(
    tmp_path: Path, box: Any, pair: tuple[str, str]
) -> None:
    both = [passed_through(tmp_path, box), {**passed_through(tmp_path, EUROPE), "id": "other"}]
    assert {stac["id"] for stac in select(both, [pair], Settings()).collections} == {"told", "other"}
