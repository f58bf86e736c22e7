import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.mapping.seam import cut, cut_plain

LONGITUDES = st.floats(160, 200, width=32)
LATITUDES = st.floats(-80, 80, width=32)


def rolled(longitude: float) -> float:
    return longitude - 360 if longitude > 180 else longitude


@given(
    west=LONGITUDES,
    width=st.floats(0.5, 30),
    south=LATITUDES,
    height=st.floats(0.5, 9),
    lean=st.floats(-3, 3),
)
def test_the_parts_are_the_polygon_however_the_archive_wrote_it(
    west: float, width: float, south: float, height: float, lean: float
) -> None:
    corners = [
        (west, south),
        (west + width, south),
        (west + width + lean, south + height),
        (west + lean, south + height),
    ]
    beyond = shapely.Polygon(corners)
    jumping = shapely.Polygon([(rolled(x), y) for x, y in corners])
    for given_form in (beyond, jumping):
        parts = cut(given_form)
        assert parts.is_valid
        assert parts.bounds[0] >= -180
        assert parts.bounds[2] <= 180
        assert parts.area == pytest.approx(beyond.area, rel=1e-9)


def test_positions_off_the_seam_keep_every_digit() -> None:
    ring = [(179.4, 1.25), (-179.4, 1.25), (-179.123456789012, 2.5), (179.4, 2.5)]
    positions = {tuple(position) for position in shapely.get_coordinates(cut(shapely.Polygon(ring))).tolist()}
    assert set(ring) <= positions
    assert {latitude for longitude, latitude in positions if abs(longitude) == 180} == {1.25, 2.5}


def test_longitudes_from_0_to_360_keep_the_digits_that_they_have() -> None:
    ring = [(359.9, 1.25), (350.3, 1.25), (352.123456789, 2.5), (359.9, 2.5)]
    positions = {tuple(position) for position in shapely.get_coordinates(cut(shapely.Polygon(ring))).tolist()}
    assert positions == {(-0.1, 1.25), (-9.7, 1.25), (-7.876543211, 2.5), (-0.1, 2.5)}


def test_a_polygon_around_a_pole_reaches_it() -> None:
    around = shapely.Polygon([(0, 80), (90, 80), (180, 80), (-90, 80)])
    parts = cut(around)
    assert parts.is_valid
    assert parts.bounds == (-180, 80, 180, 90)


def test_a_hole_stays_a_hole() -> None:
    parts = cut(shapely.box(170, -10, 190, 10).difference(shapely.box(172, -1, 174, 1)))
    assert not parts.intersects(shapely.Point(173, 0))
    assert parts.covers(shapely.MultiPoint([(171, 0), (-171, 0)]))


def test_polygons_are_cut_together_and_those_around_a_pole_are_left() -> None:
    crossing = [shapely.box(west, -5, west + 20, 5) for west in (165, -195, 170)]
    around = shapely.Polygon([(0, 80), (90, 80), (180, 80), (-90, 80)])
    parts, owner = cut_plain(np.array([crossing[0], around, *crossing[1:]]))
    assert owner.tolist() == [0, 0, 2, 2, 3, 3]
    for number, polygon in zip((0, 2, 3), crossing, strict=True):
        assert shapely.MultiPolygon(list(parts[owner == number])).equals(cut(polygon))
