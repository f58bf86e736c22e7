import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.download.lease_stores import LeaseFile
from stacbridge.download.ledger import DAY, DAYS, Ledger
from stacbridge.errors import Misconfigured, StoreUnavailable
from tests.servers import Clock

Taken = tuple[str, str, int, int, bool]
entries: st.SearchStrategy[list[Taken]] = st.lists(
    st.tuples(
        st.sampled_from("xy"),
        st.sampled_from("ab"),
        st.integers(0, 10**12),
        st.integers(0, 50),
        st.booleans(),
    ),
    max_size=30,
)


@given(entries)
def test_the_total_is_what_was_taken_in_the_last_thirty_days(
    script: list[Taken],
) -> None:
    clock = Clock(1_000 * DAY)
    ledger = Ledger(None, clock)
    kept: list[tuple[str, str, int, float]] = []
    for account, user, count, days, written in script:
        clock.sleep(days * DAY)
        ledger.add(account, user, count)
        if written:
            ledger.write()
        kept.append((account, user, count, clock()))
    recent = [entry for entry in kept if clock() - entry[3] < DAYS * DAY]
    for account in "xy":
        assert ledger.total(account) == sum(entry[2] for entry in recent if entry[0] == account)
        for user in "ab":
            mine = sum(entry[2] for entry in recent if entry[:2] == (account, user))
            assert ledger.total(account, user) == mine
    ledger.close()


def test_the_holder_is_warned_from_four_fifths_of_the_quota_on() -> None:
    ledger = Ledger(None, Clock())
    ledger.add("cdse", "ada", 9_599_999_999_999)
    assert ledger.warning("cdse", 12 * 10**12) is None
    ledger.add("cdse", "bob", 1)
    told = ledger.warning("cdse", 12 * 10**12)
    assert told is not None
    assert told.startswith("9600.0 of the 12000.0 GB")
    ledger.close()


def test_a_file_is_shared_by_processes_and_outlives_them(tmp_path: Path) -> None:
    file = tmp_path / "state" / "ledger.sqlite"
    first, second = Ledger(file, Clock()), Ledger(file, Clock())
    first.add("cdse", "ada", 3)
    second.add("cdse", "ada", 4)
    first.close()
    second.close()
    third = Ledger(file, Clock())
    assert third.total("cdse") == 7
    third.close()


def test_what_is_older_than_thirty_days_is_not_even_kept(tmp_path: Path) -> None:
    file, clock = tmp_path / "ledger.sqlite", Clock(1_000 * DAY)
    ledger = Ledger(file, clock)
    for _ in range(3 * DAYS):
        ledger.add("cdse", "ada", 1)
        ledger.write()
        clock.sleep(DAY)
    assert days(file) == DAYS
    ledger.close()
    clock.sleep((DAYS - 2) * DAY)
    Ledger(file, clock).close()
    assert days(file) == 1


def test_bytes_that_cannot_be_written_are_counted_all_the_same_and_written_with_the_next_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "ledger.sqlite"
    ledger = Ledger(file, Clock())
    ledger.add("cdse", "ada", 1)
    ledger.write()
    with closing(sqlite3.connect(file)) as other:
        other.execute(
            "create trigger full before insert on transferred begin select raise(fail, 'full'); end"
        )
        ledger.add("cdse", "ada", 2)
        ledger.write()
        assert "The ledger cannot be written for now; 2 bytes wait: full" in caplog.text
        ledger.add("cdse", "bob", 4)
        assert (ledger.total("cdse"), ledger.total("cdse", "ada"), ledger.total("other")) == (7, 3, 0)
        other.execute("drop trigger full")
        ledger.add("cdse", "ada", 8)
        ledger.write()
        assert other.execute("select user, bytes from transferred order by user").fetchall() == [
            ("ada", 11),
            ("bob", 4),
        ]
    assert ledger.total("cdse") == 15
    ledger.close()


def test_noting_bytes_waits_for_nobody_who_locks_the_file(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    ledger = Ledger(file, Clock())
    with closing(sqlite3.connect(file, isolation_level=None)) as other, ThreadPoolExecutor(1) as threads:
        other.execute("begin immediate")
        ledger.add("cdse", "ada", 1)
        writing = threads.submit(ledger.write)
        ledger.add("cdse", "ada", 2)
        assert not writing.done()
        other.execute("rollback")
        writing.result()
    assert ledger.total("cdse") == 3
    ledger.close()
    again = Ledger(file, Clock())
    assert again.total("cdse") == 3
    again.close()


def test_a_ledger_that_cannot_be_read_says_so_instead_of_a_sum(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    ledger = Ledger(file, Clock())
    with closing(sqlite3.connect(file)) as other:
        other.execute("drop table transferred")
    with pytest.raises(StoreUnavailable, match=r"cannot be read for now.*no such table"):
        ledger.total("cdse")
    assert "cannot be read" in (ledger.warning("cdse", 1) or "")
    ledger.close()


@pytest.mark.parametrize("name", ["text", "folder", "text/below"])
def test_a_place_for_no_database_is_refused_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"This is not a database. " * 200)
    (tmp_path / "folder").mkdir()
    for opening in (Ledger, LeaseFile):
        with pytest.raises(Misconfigured, match=f"{tmp_path / name} cannot be opened as a database"):
            opening(tmp_path / name)


def days(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        count: int = database.execute("select count(*) from transferred").fetchone()[0]
    return count
