from math import atan2
from typing import Any

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from stacbridge.mapping.areas import Footprint
from stacbridge.mapping.footprints import NOWHERE, footprints
from stacbridge.model import Json

SQUARE = [[10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0], [10.0, 50.0]]


def geojson(kind: str, coordinates: Any) -> Json:
    return {"GeoFootprint": {"type": kind, "coordinates": coordinates}}


def one(record: Json) -> Footprint:
    return footprints([record])[0]


def test_a_fine_footprint_passes_through_with_every_digit() -> None:
    ring = [
        [142.352793016856, 13.4758743606673],
        [142.93808729126, 13.4725397858819],
        [142.943807935726, 14.15499],
        [142.352793016856, 13.4758743606673],
    ]
    geometry, bbox = one(geojson("Polygon", [ring]))
    assert geometry == {"type": "Polygon", "coordinates": [ring]}
    assert bbox == [142.352793016856, 13.4725397858819, 142.943807935726, 14.15499]


def test_exterior_rings_are_counter_clockwise() -> None:
    assert one(geojson("Polygon", [SQUARE[::-1]]))[0] == {"type": "Polygon", "coordinates": [SQUARE]}


@pytest.mark.parametrize(
    "ring",
    [
        [[170.0, -5.0], [-170.0, -5.0], [-170.0, 5.0], [170.0, 5.0], [170.0, -5.0]],
        [[170.0, -5.0], [190.0, -5.0], [190.0, 5.0], [170.0, 5.0], [170.0, -5.0]],
        [[-190.0, -5.0], [-170.0, -5.0], [-170.0, 5.0], [-190.0, 5.0], [-190.0, -5.0]],
    ],
    ids=["jump", "over 180", "under -180"],
)
def test_a_footprint_across_the_antimeridian_is_cut_and_its_box_is_west_of_east(
    ring: list[list[float]],
) -> None:
    geometry, bbox = one(geojson("Polygon", [ring]))
    assert geometry is not None and geometry["type"] == "MultiPolygon"
    assert shape(geometry).is_valid
    assert shape(geometry).area == pytest.approx(200, rel=0.01)
    assert bbox == [170.0, pytest.approx(-5, abs=0.1), -170.0, pytest.approx(5, abs=0.1)]


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=8, unique=True))
def test_a_footprint_that_touches_the_antimeridian_anywhere_keeps_its_area(corners: list[Any]) -> None:
    middle = [sum(numbers) / len(corners) for numbers in zip(*corners, strict=True)]
    corners.sort(key=lambda corner: atan2(corner[1] - middle[1], corner[0] - middle[0]))
    area = shapely.Polygon([(180.0 + east, float(north)) for east, north in corners])
    assume(area.is_valid and area.area > 0)
    geometry, bbox = one(geojson("Polygon", [[list(each) for each in area.exterior.coords]]))
    assert geometry is not None and bbox is not None
    assert shape(geometry).is_valid
    assert shape(geometry).area == pytest.approx(area.area)


def test_a_footprint_that_meets_the_antimeridian_at_a_corner_is_made_valid() -> None:
    ring = [(180, -2), (182, -2), (182, 2), (180, 2), (181, 1), (180, 0), (181, -1), (180, -2)]
    geometry, _ = one(geojson("Polygon", [[[float(x), float(y)] for x, y in ring]]))
    assert geometry is not None and shape(geometry).is_valid
    assert shape(geometry).area == pytest.approx(6)


def test_a_footprint_cut_by_the_upstream_stays_cut() -> None:
    parts = [
        [[[170.0, 0.0], [180.0, 0.0], [180.0, 5.0], [170.0, 5.0], [170.0, 0.0]]],
        [[[-180.0, 0.0], [-170.0, 0.0], [-170.0, 5.0], [-180.0, 5.0], [-180.0, 0.0]]],
    ]
    geometry, bbox = one(geojson("MultiPolygon", parts))
    assert geometry is not None and shape(geometry).equals(
        shape({"type": "MultiPolygon", "coordinates": parts})
    )
    assert bbox == [170.0, 0.0, -170.0, 5.0]


def test_parts_pass_through_with_every_digit_and_counter_clockwise() -> None:
    east = [[169.123456789012, 0.1], [180.0, 0.1], [180.0, 5.25], [169.123456789012, 0.1]]
    west = [[-180.0, 0.1], [-170.123456789012, 0.1], [-180.0, 5.25], [-180.0, 0.1]]
    geometry, bbox = one(geojson("MultiPolygon", [[east], [west[::-1]]]))
    assert geometry == {"type": "MultiPolygon", "coordinates": [[east], [west]]}
    assert bbox == [169.123456789012, 0.1, -170.123456789012, 5.25]


def test_parts_that_lie_on_each_other_are_made_valid() -> None:
    other = [[longitude + 0.5, latitude] for longitude, latitude in SQUARE]
    geometry, bbox = one(geojson("MultiPolygon", [[SQUARE], [other]]))
    assert geometry is not None and shape(geometry).is_valid
    assert bbox == [10.0, 50.0, 11.5, 51.0]


def test_the_whole_world_is_not_turned_inside_out() -> None:
    ring = [[-180.0, -90.0], [180.0, -90.0], [180.0, 90.0], [-180.0, 90.0], [-180.0, -90.0]]
    assert one(geojson("Polygon", [ring]))[1] == [-180.0, -90.0, 180.0, 90.0]


def test_a_bow_tie_is_made_valid() -> None:
    geometry, _ = one(geojson("Polygon", [[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]))
    assert geometry is not None and geometry["type"] == "MultiPolygon"
    assert shape(geometry).is_valid
    assert shape(geometry).area == pytest.approx(0.5)


@pytest.mark.parametrize(
    "text",
    [
        "geography'SRID=4326;POLYGON ((10 50, 11 50, 11 51, 10 51, 10 50))'",
        "SRID=4326;POLYGON((10 50,11 50,11 51,10 51,10 50))",
        "POLYGON((10 50,11 50,11 51,10 51,10 50))",
    ],
)
def test_without_geojson_the_text_is_read(text: str) -> None:
    assert one({"GeoFootprint": None, "Footprint": text})[0] == {"type": "Polygon", "coordinates": [SQUARE]}


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"GeoFootprint": None, "Footprint": None},
        {"Footprint": "POLYGON((0 0,1 1"},
        {"Footprint": "nothing"},
        {"Footprint": "GEOMETRYCOLLECTION(" * 5000 + ")" * 5000},
        {"Footprint": "POLYGON EMPTY"},
        {"Footprint": 5},
        geojson("Polygon", []),
        geojson("Polygon", [[]]),
        geojson("Polygon", [[["a", 0], [1, 0], [1, 1], ["a", 0]]]),
        geojson("Polygon", [[[0, None], [1, 0], [1, 1], [0, None]]]),
        geojson("Polygon", [[[0, 0], [1, 0], [1, 95], [0, 0]]]),
        geojson("Polygon", [[[10**400, 0], [1, 0], [1, 1], [10**400, 0]]]),
        geojson("MultiPolygon", []),
        geojson("MultiPolygon", [[]]),
        geojson("Circle", [0, 0]),
        {"GeoFootprint": "text"},
    ],
    ids=lambda record: str(record)[:50],
)
def test_a_missing_or_malformed_footprint_is_absent(record: Json) -> None:
    assert one(record) == NOWHERE


def test_one_malformed_footprint_does_not_spoil_the_page() -> None:
    good = geojson("Polygon", [SQUARE])
    bad = geojson("Polygon", [[[0, 0], [1, 0, 5, 6], [1, 1], [0, 0]]])
    found = footprints([good, bad, good, {}])
    assert [found[0], found[2], found[3]] == [one(good), one(good), NOWHERE]


def test_an_area_without_any_extent_is_the_line_that_it_is() -> None:
    ring = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    assert one(geojson("Polygon", [ring]))[0] == {
        "type": "LineString",
        "coordinates": [[0.0, 0.0], [1.0, 0.0]],
    }


def test_of_what_falls_apart_the_areas_stay() -> None:
    spike = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [5.0, 1.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    geometry, bbox = one(geojson("Polygon", [spike]))
    assert geometry is not None and geometry["type"] == "Polygon"
    assert bbox == [0.0, 0.0, 1.0, 1.0]


def test_heights_are_dropped() -> None:
    ring = [[*position, 5.0] for position in SQUARE]
    assert one(geojson("Polygon", [ring]))[0] == {"type": "Polygon", "coordinates": [SQUARE]}


def test_points_and_lines_stay_what_they_are() -> None:
    assert one(geojson("Point", [1.5, 2.5])) == (
        {"type": "Point", "coordinates": [1.5, 2.5]},
        [1.5, 2.5, 1.5, 2.5],
    )
    line = [[1.0, 2.0], [3.0, 4.0]]
    assert one(geojson("LineString", line))[0] == {"type": "LineString", "coordinates": line}


RINGS = st.lists(st.tuples(st.floats(-200, 200), st.floats(-90, 90)), min_size=3, max_size=7).map(
    lambda ring: [list(position) for position in (*ring, ring[0])]
)
RECORDS = st.lists(
    RINGS.map(lambda ring: geojson("Polygon", [ring]))
    | st.lists(RINGS, min_size=1, max_size=3).map(
        lambda rings: geojson("MultiPolygon", [[ring] for ring in rings])
    ),
    max_size=4,
)


@settings(deadline=None)
@given(RECORDS)
def test_a_footprint_is_the_same_alone_and_among_others(records: list[Json]) -> None:
    assert footprints(records) == [one(record) for record in records]


@settings(deadline=None)
@given(RECORDS)
def test_whatever_comes_what_goes_out_is_valid_and_in_range(records: list[Json]) -> None:
    for geometry, bbox in footprints(records):
        assert (geometry is None) == (bbox is None)
        if geometry is not None and bbox is not None:
            found = shape(geometry)
            west, south, east, north = found.bounds
            assert found.is_valid and -180 <= west <= east <= 180 and -90 <= south <= north <= 90
            assert shapely.get_coordinates(found).size
