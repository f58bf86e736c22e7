"""Section D: pages that repeat, shift or end short, and searches that are too large, end to end."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from conformance.faults.kit import heard
from conformance.faults.odata import COLLECTION, archive, listed, name, product, search
from stacbridge.model import Json, Request
from stacbridge.scalars import rfc3339
from tests.servers import Seen
from tests.unit.download_servers import Heard
from tests.unit.odata_archive import Archive
from tests.unit.toy import grd


def walked(port: int, query: str, most: int = 30) -> tuple[list[str], Heard | None]:
    """Follow the pages of a search; return the ids, and the error that ended it, if one did."""
    path, ids = f"/search?{query}", list[str]()
    for _ in range(most):
        answer = heard(port, path)
        if answer.status != 200:
            return ids, answer
        found = orjson.loads(answer.body)
        ids += [feature["id"] for feature in found["features"]]
        following = [link["href"] for link in found["links"] if link["rel"] == "next"]
        if not following:
            return ids, None
        path = "/" + following[0].partition("127.0.0.1")[2].partition("/")[2]
    raise AssertionError(f"The walk has no end: {ids}")


def test_f49_an_archive_that_answers_one_page_for_ever_ends_in_an_error_and_repeats_nothing() -> None:
    page = listed(*descending(5))
    with archive(lambda seen: page) as (port, upstream):
        ids, failure = walked(port, f"collections={COLLECTION}&limit=5")
    assert len(ids) == len(set(ids)) == 5
    assert failure is not None and failure.status == 502
    assert len(upstream.seen) <= 3


def test_f49_an_archive_that_ignores_skip_within_one_time_ends_in_an_error_and_repeats_nothing() -> None:
    moment = "2024-06-07T10:00:00.000000Z"
    products = [product(n, ContentDate={"Start": moment, "End": moment}) for n in range(40)]

    def script(seen: Seen) -> bytes:
        return listed(*products[: int(dict(parse_qsl(urlsplit(seen.path).query))["$top"])])

    with archive(script) as (port, upstream):
        ids, failure = walked(port, f"collections={COLLECTION}&limit=10")
    assert len(ids) == len(set(ids))
    assert failure is not None and failure.status == 502
    assert len(upstream.seen) < 10


def descending(count: int) -> list[Json]:
    """Return products of an hour each, the newest first."""
    hours = [f"2024-06-07T{hour:02}:00:00.000000Z" for hour in reversed(range(count))]
    return [product(n, ContentDate={"Start": hour, "End": hour}) for n, hour in enumerate(hours)]


@pytest.mark.parametrize("limit", [1, 4, 7])
def test_f49_pages_that_end_short_and_products_that_come_in_lose_and_repeat_nothing(
    limit: int,
) -> None:
    products = [grd(Id=f"{n:03}", Name=name(n), ContentDate=span(n // 3)) for n in range(20)]
    odata, came = Archive(list(products)), list[str]()

    def script(seen: Seen) -> bytes:
        asked = tuple(parse_qsl(urlsplit(seen.path).query))
        body = orjson.loads(odata(Request("GET", "", asked)).body)
        if len(body["value"]) > 2:
            body = {**body, "value": body["value"][:2], "@odata.nextLink": "http://127.0.0.1/next"}
        number = 100 + len(came)
        came.append(name(number))
        odata.products.append(grd(Id=f"{number}", Name=came[-1], ContentDate=span(50)))  # before the first
        return orjson.dumps(body)

    with archive(script) as (port, _):
        ids, failure = walked(port, f"collections={COLLECTION}&limit={limit}", 80)
    assert failure is None
    assert len(ids) == len(set(ids))
    assert set(ids) >= {each["Name"].removesuffix(".SAFE") for each in products}


def span(hour: int) -> Json:
    """Return the time of a product, so many hours after the first."""
    start = datetime(2024, 6, 7, tzinfo=UTC) + timedelta(hours=hour)
    return {"Start": rfc3339(start), "End": rfc3339(start)}


FAR_TOO_MUCH = {
    "ids": "ids=" + ",".join(f"x{number}" for number in range(501)),
    "filter": "filter=" + "%20AND%20".join(["a%3D1"] * 2000),
    "filter depth": "filter=" + "(" * 1550 + "a%3D1" + ")" * 1550,
    "NOT": "filter=" + "NOT%20" * 2700 + "a%3D1",
    "minus": "filter=a%3D" + "-" * 8000 + "1",
}


@pytest.mark.parametrize("query", FAR_TOO_MUCH.values(), ids=FAR_TOO_MUCH)
def test_f50_a_search_beyond_a_bound_is_400_without_asking_anybody_and_kills_nothing(query: str) -> None:
    with archive(lambda seen: listed()) as (port, upstream):
        answer = heard(port, f"/search?collections={COLLECTION}&{query}")
        failure = orjson.loads(answer.body)
        assert (answer.status, failure["parameter"]) == (400, query.partition("=")[0])
        assert (upstream.seen, heard(port, "/healthz").status) == ([], 200)


def test_f50_bodies_and_geometries_have_bounds_too_and_a_limit_is_served_as_the_largest() -> None:
    ring = [[n / 10_001, 0] for n in range(10_001)]
    wide = {"type": "Polygon", "coordinates": [[*ring, [1, 1], ring[0]]]}
    nested = {"op": "not", "args": [True]}
    for _ in range(70):
        nested = {"op": "not", "args": [nested]}
    many = [f"x{number}" for number in range(501)]
    sent = {"Content-Type": "application/json"}
    with archive(lambda seen: listed()) as (port, upstream):
        for member, value in (
            ("intersects", wide),
            ("filter", nested),
            ("ids", many),
        ):
            body = orjson.dumps({member: value, "filter-lang": "cql2-json"})
            answer = heard(port, "/search", "POST", body, sent)
            assert (answer.status, orjson.loads(answer.body)["parameter"]) == (400, member)
        answer = heard(port, "/search", "POST", b'{"ids": ["' + b"x" * 2_000_000, sent)
        assert (answer.status, b"1048576 bytes" in answer.body) == (400, True)
        assert upstream.seen == []
        status, found = search(port, "collections=optical-l1&limit=1000000000")
        assert (status, len(found["features"])) == (200, 420)
