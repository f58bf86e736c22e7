"""Section C: orders that are lost, stuck, wanted twice or evicted, on a clock that is told to pass.

Rows 35 and 38 over processes and replicas are in `conformance.orders`, and in this table, too.
"""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from conformance.faults.kit import faced, heard, served, whole
from stacbridge.errors import Misconfigured, QuotaExceeded, StoreUnavailable
from stacbridge.model import Progress
from stacbridge.orders.sqlite import SQLite
from stacbridge.simulators.chaos import Act
from tests.api.archive import alpha
from tests.orders.archives import DAY, Bench, Script
from tests.postgres import Line, cluster, missing

DONE, UNKNOWN = Progress("O-1", "succeeded"), Progress("O-1", None)
JSON = {"Content-Type": "application/json"}
BODY = b'{"collection": "radar-grd", "item": "radar-grd-0003"}'


@pytest.fixture
def archive() -> Script:
    return Script()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SQLite]:
    database = SQLite(tmp_path / "orders.sqlite")
    yield database
    database.close()


@pytest.fixture
def bench(database: SQLite, archive: Script) -> Bench:
    return Bench(database, archive)


def test_f35_the_intent_is_committed_before_the_upstream_hears_of_it(
    bench: Bench, archive: Script, database: SQLite
) -> None:
    seen: list[str] = []

    def look() -> None:
        other = SQLite(database.path)
        with other.reading() as execute:
            seen.extend(row["state"] for row in execute("SELECT state FROM products"))
        other.close()

    archive.during_place = look
    bench.place()
    bench.work()
    assert seen == ["sending"]


def test_f36_a_lost_order_is_ordered_once_more_then_failed_with_a_reason(
    bench: Bench, archive: Script
) -> None:
    archive.poll_answers = [UNKNOWN]
    order = bench.place()
    bench.wait(DAY)
    assert (bench.state(order), archive.placed) == ("failed", ["A", "A"])
    assert "did not know order O-1" in (bench.now(order).product.reason or "")


def test_f37_a_stuck_order_is_polled_ever_more_rarely_and_ends_at_its_deadline(
    bench: Bench, archive: Script
) -> None:
    order = bench.place()
    bench.wait(6 * DAY)
    assert bench.state(order) == "ordered"
    assert archive.polled <= 6 * DAY / 900 + 10
    bench.wait(DAY + 3600)
    assert (bench.state(order), archive.placed) == ("failed", ["A"])


def test_f37_a_stuck_order_can_be_cancelled(bench: Bench) -> None:
    order = bench.place()
    bench.wait(DAY)
    bench.book.cancel(bench.now(order), bench.clock())
    bench.work()
    assert bench.state(order) == "canceled"


def test_f38_two_who_want_one_product_share_its_order_and_cancel_only_their_own(
    bench: Bench, archive: Script
) -> None:
    mine, theirs = bench.place(), bench.place(principal="bob")
    bench.work()
    archive.poll_answers = [DONE]
    bench.book.cancel(mine, bench.clock())
    bench.wait(3600)
    assert archive.placed == ["A"]
    assert (bench.state(mine), bench.state(theirs)) == ("canceled", "succeeded")


def test_f39_a_used_up_quota_is_waited_for_with_its_release_and_place_in_line_told(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [QuotaExceeded("20 in 12 h.", retry_after=7200), Progress("O-1", "ordered")]
    orders = [bench.place(item) for item in "AB"]
    bench.work()
    release = bench.clock() + 7200
    for place, order in enumerate(orders, 1):
        found = bench.now(order)
        assert (found.position, found.product.release_at) == (place, release)
    bench.wait(7190)
    assert archive.placed == ["A"]
    bench.wait(60)
    assert archive.placed == ["A", "A", "B"]


def test_f40_bytes_evicted_before_they_were_downloaded_are_ordered_once_more_then_orderable(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [Progress("O-1", "succeeded", expires=bench.clock() + DAY)]
    order = bench.place()
    bench.wait(1.5 * DAY)
    assert (bench.now(order).status, archive.placed) == ("succeeded", ["A", "A"])
    bench.wait(2 * DAY)
    found = bench.now(order)
    assert (found.status, archive.placed) == ("orderable", ["A", "A"])
    assert "Order it anew" in (found.product.reason or "")


def test_f40_bytes_evicted_after_they_were_downloaded_are_orderable_and_not_ordered_unasked(
    bench: Bench, archive: Script
) -> None:
    archive.place_answers = [Progress("O-1", "succeeded", expires=bench.clock() + DAY)]
    order = bench.place()
    bench.work()
    bench.book.fetched("ada", "c", "A")
    bench.wait(2 * DAY)
    assert (bench.now(order).status, archive.placed) == ("orderable", ["A"])


def test_f41_an_extraction_under_way_is_503_and_its_result_is_kept_for_all(tmp_path: Path) -> None:
    acts = Act(status=202, body=b'{"status": "extracting"}'), Act(ignore_range=True)
    with faced(*acts, settings={"spool_folder": tmp_path}, ranges=False) as (bridge, chaos, _):
        first = bridge.ask()
        assert (first.status, int(first.headers["retry-after"]) > 0) == (503, True)
        assert whole(bridge.ask()) and whole(bridge.ask())
        assert len(chaos.asked) == 2


def test_f41_an_extraction_that_fails_is_no_file() -> None:
    failed = Act(
        status=422, body=b'{"detail": "no such burst"}', headers={"Content-Type": "application/json"}
    )
    with faced(failed, ranges=False) as (bridge, chaos, _):
        assert (bridge.ask().status, len(chaos.asked)) == (502, 1)


def test_f42_a_full_disk_promises_no_order_and_keeps_those_that_were(bench: Bench, database: SQLite) -> None:
    kept = bench.place()
    with database.writing() as execute:
        pages = execute("PRAGMA page_count")[0]["page_count"]
        execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        for number in range(10_000):
            bench.place(f"item-{number}")
    assert bench.state(kept) == "intended"


def test_f42_where_the_book_cannot_be_written_orders_are_503_and_searches_go_on(tmp_path: Path) -> None:
    catalogue = alpha()
    catalogue.archive = Script()
    nowhere = tmp_path / "orders"
    nowhere.mkdir()
    with served(catalogue, order_store=f"sqlite:///{nowhere}/orders.sqlite") as port:
        nowhere.rmdir()
        nowhere.write_bytes(b"")
        asked = heard(port, "/orders", "POST", BODY, JSON)
        assert asked.status == 503
        assert heard(port, "/readyz").status == 503
        assert heard(port, "/search?limit=1").status == 200


def test_f43_a_locked_book_is_503_and_an_order_taken_afterwards_is_kept(tmp_path: Path) -> None:
    catalogue = alpha()
    catalogue.archive = Script()
    file = tmp_path / "orders.sqlite"
    with served(catalogue, order_store=f"sqlite:///{file}") as port:
        other = SQLite(file)
        with other.writing():
            refused = heard(port, "/orders", "POST", BODY, JSON)
        other.close()
        taken = heard(port, "/orders", "POST", BODY, JSON)
    assert (refused.status, orjson.loads(refused.body)["code"]) == (503, "StoreUnavailable")
    assert taken.status == 202


def test_f43_where_the_database_goes_silent_orders_are_503_and_searches_go_on() -> None:
    if reason := missing():
        pytest.skip(reason)
    catalogue = alpha()
    catalogue.archive = Script()
    with (
        cluster() as url,
        Line(url) as line,
        served(catalogue, order_store=line.url, order_store_timeout=0.2) as port,
    ):
        taken = heard(port, "/orders", "POST", BODY, JSON)
        line.silent = True
        assert heard(port, "/search?limit=1").status == 200
        assert heard(port, "/readyz").status == 503
        refused = heard(port, "/orders", "POST", BODY, JSON)
    assert (taken.status, refused.status) == (202, 503)
    assert orjson.loads(refused.body)["code"] == "StoreUnavailable"


def test_f43_a_corrupt_book_is_refused_with_what_to_do_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "orders.sqlite"
    SQLite(file).close()
    content = bytearray(file.read_bytes())
    content[0:64] = bytes(64)
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match="Keep a copy"):
        SQLite(file)
    assert file.read_bytes() == content
