"""How fast an upstream sends, and what is made of it: minutes of downloads without waiting for one."""

import logging

import pytest

from stacbridge.catalogue import Quota
from stacbridge.download.throughput import Throughput
from stacbridge.mapping.mapping import load
from stacbridge.settings import Settings
from tests.servers import Clock

MB = 1_000_000
CDSE = Quota(12_000_000 * MB, MB, 1)
LITTLE, MOST = 100_000 * MB, 9_600_000 * MB


class Account:
    """What an account of CDSE's kind sees, on a clock."""

    def __init__(self, quota: Quota | None = CDSE) -> None:
        self.clock = Clock()
        self.seen = Throughput("cdse", Settings(), quota, self.clock)

    def downloads(self, rate: float, seconds: float = 60, streams: int = 1) -> None:
        """Wait for bytes on each of so many connections, `rate` a second."""
        for _ in range(streams):
            self.seen.note(seconds, int(rate * seconds))
        self.clock.sleep(seconds)

    def pace(self, used: int) -> str:
        """Judge; return what was found."""
        self.seen.judge(used)
        return str(self.seen.standing()["pace"])


def test_the_quota_of_cdse_is_what_its_documentation_says() -> None:
    assert Quota.of(load("cdse", Settings()).limits) == CDSE


@pytest.mark.parametrize("rate", [0.3, 0.95, 1.0, 1.2])
@pytest.mark.parametrize("streams", [1, 4])
def test_the_throttled_rate_is_throttled_with_the_quota_used_and_slow_with_much_of_it_left(
    rate: float, streams: int
) -> None:
    account = Account()
    account.downloads(rate * MB, streams=streams)
    assert account.pace(LITTLE) == "slow"
    assert (account.seen.warning(), account.seen.connections) == (None, float("inf"))
    assert account.pace(MOST) == "throttled"
    told = account.seen.warning()
    assert told is not None and f"({rate:.2f} MB/s)" in told and "12000.0 GB" in told
    assert account.seen.connections == 1


@pytest.mark.parametrize("used", [LITTLE, MOST, 2 * MOST])
@pytest.mark.parametrize("rate", [1.3, 5, 20])
def test_faster_than_that_is_normal_however_much_was_used(rate: float, used: int) -> None:
    account = Account()
    account.downloads(rate * MB)
    assert account.pace(used) == "normal"


def test_a_file_that_comes_within_a_tick_of_the_clock_is_faster_than_any_throttled_rate() -> None:
    account = Account()
    account.downloads(0.5 * MB)
    assert account.pace(MOST) == "throttled"
    account.clock.sleep(Settings().throughput_window + 60)
    account.seen.note(0.0, 1000 * MB)
    assert account.pace(MOST) == "normal"


def test_parts_of_files_that_come_in_a_moment_tell_nothing() -> None:
    account = Account()
    for _ in range(1000):
        account.downloads(0.3 * MB, seconds=0.1)
    assert account.seen.rate is None
    assert account.pace(MOST) == "normal"


def test_a_client_that_reads_slowly_is_not_an_upstream_that_sends_slowly() -> None:
    account = Account()
    for _ in range(10):
        account.seen.note(0.5, 10 * MB)  # all that was waited for it in a minute
        account.clock.sleep(60)
    assert account.pace(MOST) == "normal"


def test_too_little_of_it_finds_nothing() -> None:
    account = Account()
    account.downloads(MB, seconds=30)
    assert account.pace(MOST) == "normal"
    account.downloads(MB, seconds=30)
    assert account.pace(MOST) == "throttled"


def test_a_finding_holds_until_another_can_be_found() -> None:
    account = Account()
    account.downloads(MB)
    assert account.pace(MOST) == "throttled"
    account.clock.sleep(3600)
    assert (account.pace(MOST), account.seen.rate) == ("throttled", None)
    account.downloads(20 * MB, seconds=10)
    assert (account.pace(MOST), account.seen.warning()) == ("normal", None)


def test_an_account_whose_month_is_over_is_no_longer_throttled() -> None:
    account = Account()
    account.downloads(MB)
    assert account.pace(MOST) == "throttled"
    account.clock.sleep(3600)
    assert account.pace(LITTLE) == "normal"


def test_what_is_new_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    account = Account()
    for _ in range(5):
        account.downloads(MB)
        account.pace(MOST)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    account.downloads(20 * MB, seconds=300)
    account.pace(MOST)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("quota", [None, Quota(12 * MB)])
def test_without_a_throttled_rate_only_the_rate_is_told(quota: Quota | None) -> None:
    account = Account(quota)
    account.downloads(MB)
    account.seen.judge(MOST)
    assert account.seen.standing() == {"bytes_second": MB}
    assert account.seen.warning() is None


def test_a_quota_is_read_from_a_catalogues_limits() -> None:
    assert Quota.of({"connections": 4}) is None
    assert Quota.of({"bytes_30_days": 5}) == Quota(5)
