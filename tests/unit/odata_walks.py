"""Walks through an archive of OData whose pages are small, and whose `$skip` does not reach far."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
from hypothesis import strategies as st

from stacbridge import scalars
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.mapping.mapping import Mapping
from stacbridge.model import Json, Page, Query
from tests.unit.odata_archive import Archive
from tests.unit.toy import NAME, grd, toy

START = datetime(2024, 1, 1, tzinfo=UTC)
OFFSET, PAGE = 7, 4
PATHS = {"datetime": "ContentDate/Start", "published": "PublicationDate", "end_datetime": "ContentDate/End"}


def small() -> Mapping:
    mapping = toy()
    mapping.limits.update(offset=OFFSET, page=PAGE)
    return mapping


DIALECT = ODataSets(small())


def archive(products: list[Json]) -> Archive:
    return Archive(products, offset=OFFSET, page=PAGE)


def product(number: int, start: int, end: int = 0, published: int | None = None) -> Json:
    def time(seconds: int) -> str:
        return scalars.rfc3339(START + timedelta(seconds=seconds))

    return grd(
        Id=f"{number * 7919 % 10007:05}",  # in another order than that of their making
        Name=f"{NAME[:-9]}{number:04}.SAFE",
        ContentDate={"Start": time(start), "End": time(start + end)},
        PublicationDate=time(number if published is None else published),
    )


def pages(upstream: Archive, query: Query, dialect: ODataSets = DIALECT) -> Iterator[Page]:
    for _ in range(1000):
        page = upstream.page(dialect, query)
        assert len(page.records) <= query.limit
        yield page
        if page.position is None:
            return
        query = replace(query, position=orjson.loads(orjson.dumps(page.position)))
    raise AssertionError("the walk does not end")


def walk(upstream: Archive, query: Query, dialect: ODataSets = DIALECT) -> list[Json]:
    return [record for page in pages(upstream, query, dialect) for record in page.records]


def ids(records: list[Json]) -> list[str]:
    return [record["Id"] for record in records]


def behind(page: Page, count: int) -> Json | None:
    """The position behind the first so many records of a page."""
    assert page.after is not None
    return page.after(count) if count < len(page.records) else page.position


def walked_meanwhile(held: list[Json], coming: list[Json], limit: int, data: st.DataObject) -> list[str]:
    """The ids of a walk during which products come in after each page, as many as are drawn."""
    upstream = archive(list(held))
    arrivals = iter([{**record, "Id": f"{record['Id']}-new"} for record in coming])
    found: list[Json] = []
    for page in pages(upstream, Query(limit=limit)):
        found += page.records
        for record in arrivals:
            upstream.products.append(record)
            if data.draw(st.booleans()):
                break
    return ids(found)


numbers = st.integers(0, 3)
archives = st.lists(st.tuples(numbers, numbers), max_size=60).map(
    lambda drawn: [product(number, start, end) for number, (start, end) in enumerate(drawn)]
)
