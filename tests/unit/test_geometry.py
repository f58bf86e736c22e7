from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from stacbridge import geometry
from stacbridge.errors import BadRequest
from stacbridge.model import Bbox

LONGITUDES, LATITUDES = st.floats(-180, 180), st.floats(-90, 90)
POSITIONS = st.lists(LONGITUDES, min_size=1, max_size=1).flatmap(
    lambda head: LATITUDES.map(lambda last: [*head, last])
)
GRID = [st.integers(-64 * limit, 64 * limit).map(lambda step: step / 64) for limit in (180, 90)]
TRIANGLE = [[0, 0], [1, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("numbers", "bbox"),
    [
        ([170, -10, -170, 10], (170, -10, -170, 10)),
        ([1, 2, -5, 3, 4, 5], (1, 2, 3, 4)),
        ([0, 0, 0, 0], (0, 0, 0, 0)),
    ],
)
def test_a_box_has_four_or_six_numbers(numbers: list[float], bbox: Bbox) -> None:
    assert geometry.parse_bbox(numbers) == bbox


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        [0, 0, 1],
        [0, 0, 1, 1, 1],
        [0, 1, 1, 0],
        [0, 0, 9, 1, 1, 5],
        [-181, 0, 1, 1],
        [0, 0, 1, 91],
        [0, 0, 1, "1"],
        [0, 0, 1, None],
        [0, 0, 1, True],
        [0, 0, 1, float("nan")],
        [0, 0, float("inf"), 1],
    ],
)
def test_other_boxes_are_refused(numbers: list[Any]) -> None:
    with pytest.raises(BadRequest) as failure:
        geometry.parse_bbox(numbers)
    assert failure.value.parameter == "bbox"


@given(GRID[0], GRID[1], GRID[0], GRID[1], GRID[0], GRID[1])
def test_a_box_as_geometry_holds_the_points_within_the_box(
    west: float, south: float, east: float, north: float, longitude: float, latitude: float
) -> None:
    south, north = sorted((south, north))
    texts = geometry.wkts(geometry.box((west, south, east, north)))
    inside = west <= longitude <= east if west <= east else longitude >= west or longitude <= east
    inside = inside and south <= latitude <= north
    area = shapely.union_all([shapely.from_wkt(text) for text in texts])
    assert inside == (shapely.distance(area, shapely.Point(longitude, latitude)) == 0)


@given(st.lists(POSITIONS, min_size=2, max_size=6))
def test_wkt_keeps_every_digit(positions: list[list[float]]) -> None:
    (text,) = geometry.wkts({"type": "LineString", "coordinates": positions})
    assert "e" not in text.removeprefix("LINESTRING")
    assert shapely.get_coordinates(shapely.from_wkt(text)).tolist() == positions


@pytest.mark.parametrize(
    ("shape", "texts"),
    [
        ({"type": "Point", "coordinates": [1, 2, 3]}, ["POINT(1 2)"]),
        ({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}, ["MULTIPOINT(1 2,3 4)"]),
        ({"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]]]}, ["MULTILINESTRING((1 2,3 4))"]),
        ({"type": "Polygon", "coordinates": [TRIANGLE]}, ["POLYGON((0 0,1 0,1 1,0 0))"]),
        (
            {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "MultiPolygon", "coordinates": [[TRIANGLE]]},
                    {"type": "Point", "coordinates": [1e-7, -2.5]},
                ],
            },
            ["POLYGON((0 0,1 0,1 1,0 0))", "POINT(0.0000001 -2.5)"],
        ),
    ],
)
def test_geometries_as_wkt(shape: dict[str, Any], texts: list[str]) -> None:
    assert geometry.wkts(geometry.check(shape, 100)) == texts


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (None, "not a GeoJSON geometry"),
        ({}, "not a GeoJSON geometry"),
        ({"type": "Feature", "geometry": None}, "not a GeoJSON geometry"),
        ({"type": ["Point"], "coordinates": [0, 0]}, "not a GeoJSON geometry"),
        ({"type": "GeometryCollection", "geometries": []}, "not a GeoJSON geometry"),
        (
            {"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]},
            "not a GeoJSON",
        ),
        ({"type": "Point"}, "malformed"),
        ({"type": "Point", "coordinates": [0]}, "malformed"),
        ({"type": "Point", "coordinates": [0, "1"]}, "malformed"),
        ({"type": "Point", "coordinates": [0, float("nan")]}, "malformed"),
        ({"type": "Point", "coordinates": [0, 95]}, "not a longitude and latitude"),
        ({"type": "LineString", "coordinates": [[0, 0]]}, "malformed"),
        ({"type": "Polygon", "coordinates": TRIANGLE}, "malformed"),
        ({"type": "Polygon", "coordinates": []}, "malformed"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}, "not closed"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "not closed"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            "not a valid geometry",
        ),
        ({"type": "MultiPoint", "coordinates": [[0, 0]] * 101}, "more than 100 positions"),
        ({"type": "Polygon", "coordinates": [[[[[[[[0]]]]]]]]}, "malformed"),
    ],
)
def test_what_is_no_geometry_is_refused_by_parameter(shape: Any, told: str) -> None:
    with pytest.raises(BadRequest, match=told) as failure:
        geometry.check(shape, 100)
    assert failure.value.parameter == "intersects"


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.sampled_from(["Point", "Polygon", "MultiPolygon", "GeometryCollection"]),
        lambda inner: (
            st.lists(inner)
            | st.fixed_dictionaries({"type": inner, "coordinates": inner, "geometries": inner})
        ),
        max_leaves=10,
    )
)
def test_nothing_does_worse_than_being_refused(value: Any) -> None:
    try:
        geometry.wkts(geometry.check(value, 100))
    except BadRequest as failure:
        assert failure.parameter == "intersects"
