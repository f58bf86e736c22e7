"""Any search of an OpenSearch service gives exactly what it holds, in one order over all its collections."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st

from stacbridge.model import Bbox, Interval, Query, SortKey
from stacbridge.simulators.opensearch import OpenSearchSimulator
from tests.leaving import CHANCES
from tests.opensearch.terrascope import DEM, FAPAR, KEYS, TOC, VGT, expected, opened
from tests.unit.cql_trees import combined
from tests.walks import Archive, Walks, named, places


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenSearchSimulator]:
    with OpenSearchSimulator(size=160) as running:
        yield running


@pytest.fixture(scope="module")
def walks(simulator: OpenSearchSimulator) -> Walks:
    return opened(simulator)


@pytest.fixture(scope="module")
def archive(simulator: OpenSearchSimulator, walks: Walks) -> Archive:
    """All Items, held against what the simulator holds."""
    found = [item for id in KEYS for item in walks.items(Query(collections=(id,)))]
    assert sorted(item["id"] for item in found) == sorted(expected(simulator, Query()))
    return Archive(found)


VALUES: dict[str, list[Any]] = {
    "eo:cloud_cover": [0, 12.5, 40, 99.9, "many"],
    "grid:code": ["MGRS-31UFS", "mgrs-31ufs", "MGRS-60UXA"],
    "sat:orbit_state": ["ascending", "descending", "up"],
    "sat:relative_orbit": [8, 9, 12, 99],
    "product:type": ["TOC", "FAPAR", "S10_TOC", "toc"],
    "processing:version": ["V200", "V210"],
    "platform": ["s2a", "s2b", "S2A", "tdx1"],
    "gsd": [10, 30, 1000],
    "order:status": ["succeeded", "orderable"],
    "published": [{"timestamp": "2020-01-05T00:00:00Z"}, {"timestamp": "2020-01-09T12:50:19Z"}],
    "datetime": [{"timestamp": "2020-01-05T10:50:19Z"}, {"timestamp": "2002-05-11T00:00:00Z"}],
    "end_datetime": [{"timestamp": "2020-01-05T10:50:37Z"}, {"date": "2020-01-03"}],
    "collection": [TOC, VGT, "nowhere"],
    "id": ["S2A_20200101T105019_31UFS_TOC_V210", "x"],
    "no:such": [1, "x"],
}
COMPARISONS = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.builds(
        lambda op, value: {"op": op, "args": [{"property": name}, value]},
        st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
        st.sampled_from(VALUES[name]),
    )
)
TEXTS = st.sampled_from(
    [
        {"op": "like", "args": [{"property": "grid:code"}, "MGRS-31U%"]},
        {"op": "like", "args": [{"property": "title"}, "%V210"]},
        {"op": "in", "args": [{"property": "grid:code"}, ["MGRS-31UES", "MGRS-01UBR"]]},
        {"op": "between", "args": [{"property": "eo:cloud_cover"}, 10, 60]},
        {"op": "isNull", "args": [{"property": "eo:cloud_cover"}]},
        {"op": "isNull", "args": [{"property": "no:such"}]},
        {"op": "isNull", "args": [{"property": "datetime"}]},
        {
            "op": "=",
            "args": [
                {"op": "casei", "args": [{"property": "platform"}]},
                {"op": "casei", "args": ["S2B"]},
            ],
        },
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [4.0, 50.0, 4.6, 51.0]}]},
        {"op": "s_within", "args": [{"property": "geometry"}, {"bbox": [3.0, 50.0, 7.0, 53.0]}]},
        {"op": ">", "args": [{"op": "*", "args": [{"property": "eo:cloud_cover"}, 2]}, 100]},
    ]
)
FILTERS = combined(st.one_of(COMPARISONS, TEXTS), 4)
TIMES = st.one_of(
    st.none(),
    st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 15), timezones=st.just(UTC)),
    st.sampled_from([datetime(2002, 5, 20, tzinfo=UTC), datetime(2010, 12, 12, 17, 44, 10, tzinfo=UTC)]),
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    start, days = draw(TIMES), draw(st.sampled_from([None, 0, 1, 5, 3000]))
    end = None if start is None or days is None else start + timedelta(days=days)
    boxes: list[Bbox | None] = [None, (4.0, 50.0, 4.6, 51.0), (170.0, -10.0, -170.0, 70.0)]
    sorts = [(), (SortKey("datetime"),), (SortKey("datetime", descending=True),), (SortKey("title"),)]
    return Query(
        collections=draw(st.sampled_from([(), (), (TOC,), (VGT, DEM), (FAPAR, TOC)])),
        bbox=draw(st.sampled_from(boxes)),
        interval=draw(st.sampled_from([None, Interval(start, end), Interval(None, end)])),
        filter=draw(st.one_of(st.none(), FILTERS)),
        sortby=draw(st.sampled_from(sorts)),
        limit=draw(st.sampled_from([7, 40, 500])),
        count=True,
    )


@checked(max_examples=80, deadline=None)
@given(query=queries(), chance=CHANCES)
def test_any_search_gives_what_the_archive_holds_in_one_order(
    walks: Walks, archive: Archive, query: Query, chance: Random | None
) -> None:
    found, right = walks.items(query, chance), archive.wanted(query)
    assert named(found) == named(right)
    assert places(found, query) == places(right, query)


@checked(max_examples=30, deadline=None)
@given(query=queries())
def test_a_count_is_that_of_all_matches_or_not_told(walks: Walks, archive: Archive, query: Query) -> None:
    page = walks.page(query)
    assert page.matched in (None, len(archive.wanted(query)))
    assert not (page.checked and page.matched)
