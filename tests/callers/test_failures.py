"""Logins that fail: how many, from where, under which name, and for how long."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge import metrics
from stacbridge.callers.failures import Failures
from stacbridge.errors import TooManyRequests
from tests.servers import Clock

HERE, THERE, ELSEWHERE = "192.0.2.1", "198.51.100.7", "203.0.113.9"
MOST, WINDOW, KEPT = 3, 60.0, 100


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def failures(clock: Clock) -> Failures:
    return Failures(MOST, WINDOW, KEPT, clock=clock)


def refused(failures: Failures, address: str, name: str | None = None) -> bool:
    try:
        failures.check(address, name)
    except TooManyRequests:
        return True
    return False


def fail(failures: Failures, address: str, name: str | None = None, times: int = MOST) -> None:
    for _ in range(times):
        failures.count(address, name)


def test_an_address_with_too_many_failures_is_refused_until_the_window_ends(
    failures: Failures, clock: Clock
) -> None:
    fail(failures, HERE, times=MOST - 1)
    assert not refused(failures, HERE)
    clock.sleep(20)
    fail(failures, HERE, times=1)
    with pytest.raises(TooManyRequests) as refusal:
        failures.check(HERE, None)
    assert (refusal.value.retry_after, refusal.value.status) == (40, 429)
    clock.sleep(39)
    assert refused(failures, HERE)
    clock.sleep(1)
    assert not refused(failures, HERE)


def test_others_behind_another_address_are_not_locked_out_not_even_under_the_same_name(
    failures: Failures,
) -> None:
    fail(failures, HERE, "ada", times=50)
    assert refused(failures, HERE, "ada") and refused(failures, HERE, "bob")
    assert not refused(failures, THERE, "ada")


def test_a_name_with_too_many_failures_is_refused_to_every_address_that_has_failed(
    failures: Failures,
) -> None:
    for address in (HERE, THERE, ELSEWHERE):
        fail(failures, address, "ada", times=1)
    assert all(refused(failures, address, "ada") for address in (HERE, THERE, ELSEWHERE))
    assert not refused(failures, HERE, "bob")
    assert not refused(failures, "192.0.2.99", "ada")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("a local socket", "a local socket", True),
    ],
)
def test_a_subscriber_is_one_address_however_many_they_have(
    failures: Failures, one: str, other: str, same: bool
) -> None:
    fail(failures, one)
    assert refused(failures, other) == same


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=600))
def test_memory_is_bounded_whoever_tries_whatever(script: list[tuple[int, int]]) -> None:
    failures = Failures(MOST, WINDOW, 10, clock=Clock())
    for address, name in script:
        failures.count(f"10.0.{address // 200}.{address % 200}", f"{name}" * 1000)
    assert len(failures._addresses) <= 10 and len(failures._names) <= 10
    assert all(len(name) <= 64 for name in failures._names)


def test_failures_are_counted_and_told_once_without_the_name(
    failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    before = [counted(outcome) for outcome in ("wrong", "unseen")]
    with caplog.at_level(logging.WARNING):
        fail(failures, HERE, "canary-name", times=5)
    assert refused(failures, HERE)
    assert [counted("wrong") - before[0], counted("unseen") - before[1]] == [5, 1]
    (line,) = [record.getMessage() for record in caplog.records]
    assert HERE in line and "canary" not in line


def counted(outcome: str) -> float:
    value = metrics.COUNTERS.get_sample_value("stacbridge_failed_logins_total", {"outcome": outcome})
    return value or 0.0
