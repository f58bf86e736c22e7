"""However a box is quartered, each record belongs to exactly one cell, in which the upstream finds it."""

from collections.abc import Iterator
from dataclasses import replace

import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import mapping as geojson
from shapely.geometry import shape

from stacbridge.dialects.cells import WORLD, Cell
from stacbridge.model import Bbox, Json

ROOTS = st.sampled_from(
    [WORLD, (0.0, 40.0, 20.0, 60.0), (-180.0, -90.0, -179.5, 90.0), (3.1, 50.7, 3.2, 50.9)]
)
CORNERS = st.tuples(st.integers(-1800, 1790), st.integers(-900, 890), st.sampled_from([0, 1, 5, 300]))
SPLITS = st.sets(st.text("0123", max_size=5), max_size=40)


def record(corner: tuple[int, int, int]) -> Json:
    west, south, side = (number / 10 for number in corner)
    place = shapely.box(west, south, min(west + side, 180), min(south + side, 90)) if side else None
    return {"GeoFootprint": dict(geojson(shapely.Point(west, south) if place is None else place))}


def leaves(cell: Cell, split: set[str]) -> Iterator[Cell]:
    if cell.path not in split:
        yield cell
        return
    for quarter in cell.quarters():
        yield from leaves(quarter, split)


@given(ROOTS, st.lists(CORNERS, max_size=20), SPLITS)
def test_a_record_belongs_to_one_cell_that_it_reaches_into(
    root: Bbox, corners: list[tuple[int, int, int]], split: set[str]
) -> None:
    cells = list(leaves(Cell(root), {"", *split}))
    for each in [record(corner) for corner in corners]:
        place = shape(each["GeoFootprint"])
        if not place.intersects(shapely.box(*root)):
            continue
        (owner,) = [cell for cell in cells if cell.own([each])]
        assert place.intersects(shapely.box(*owner.box))


@given(ROOTS, SPLITS)
def test_cells_follow_each_other_to_the_end_and_cover_their_root(root: Bbox, split: set[str]) -> None:
    cells = list(leaves(Cell(root), split))
    met: list[Cell] = []
    cell: Cell | None = Cell(root)
    while cell is not None:
        while cell.path in split:
            cell = replace(cell, path=cell.path + "0")
        met.append(cell)
        cell = cell.following()
    assert met == cells
    whole = shapely.box(*root)
    assert (
        shapely.union_all([shapely.box(*each.box) for each in cells]).symmetric_difference(whole).area < 1e-9
    )


def test_a_record_without_a_place_is_left_to_every_cell() -> None:
    assert all(cell.own([{"Name": "nowhere"}]) for cell in Cell().quarters())


def test_a_cell_that_is_too_small_has_no_quarters() -> None:
    cell = Cell()
    for _ in range(20):
        cell = cell.quarters()[3]
    assert cell.quarters() == []
