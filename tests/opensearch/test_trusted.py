"""Services whose word on areas is taken: only on an area that they were asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from stacbridge.model import Json, Query
from tests.opensearch.services import BOTH, BY_TIME, SORTED, Service, feature, mapping, names, turned

TRIANGLE = [[[0, 0], [0, 20], [20, 20], [0, 0]]]
ONE: Json = {"type": "Polygon", "coordinates": TRIANGLE}
TWO: Json = {"type": "MultiPolygon", "coordinates": [TRIANGLE, [[[50, 0], [51, 0], [51, 1], [50, 0]]]]}
WITH_BOX, WITH_ALL = BOTH + SORTED, BOTH + "&amp;area={g:geometry?}" + SORTED
WITH_NONE = BOTH.removesuffix("&amp;box={g:box?}") + SORTED


def first(folder: Path, template: str, query: Query) -> tuple[list[str], int | None]:
    """Return the first Item of a search, and how many match, where a service tells of 40 records and gives
    one beside the triangle, and then one in it."""
    service = Service(lambda _: {"totalResults": 40, "features": [feature(18), feature(2)]}, query=template)
    catalogue = mapping(folder, f'trusted = ["area"]\n{BY_TIME}')
    page = turned(service, catalogue, replace(query, limit=1, count=True))
    return names([page]), page.matched


@pytest.mark.parametrize(
    ("template", "query"),
    [
        (WITH_BOX, Query(intersects=ONE)),
        (WITH_NONE, Query(bbox=(0, 0, 10, 20))),
        (WITH_ALL, Query(intersects=TWO)),
    ],
)
def test_an_area_that_a_service_was_not_asked_for_is_checked_and_not_counted(
    tmp_path: Path, template: str, query: Query
) -> None:
    assert first(tmp_path, template, query) == (["f02"], None)


@pytest.mark.parametrize(
    ("template", "query"),
    [(WITH_ALL, Query(intersects=ONE)), (WITH_BOX, Query(bbox=(0, 0, 10, 20))), (WITH_NONE, Query())],
)
def test_an_area_that_a_service_was_asked_for_is_taken_and_counted(
    tmp_path: Path, template: str, query: Query
) -> None:
    assert first(tmp_path, template, query) == (["f18"], 40)
