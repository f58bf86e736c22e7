"""Tokens are kept, renewed in time, shared by all who ask at once, and outlast their provider's outages."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stacbridge.errors import UpstreamUnavailable
from tests.servers import Answer, Clock, serving
from tests.unit.identity_provider import Provider, broker


def test_a_token_is_asked_for_once_and_kept() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        assert [keeper.token(), keeper.token()] == ["canary-access-1"] * 2
    assert provider.forms == [
        {
            "client_id": "cdse-public",
            "grant_type": "password",
            "username": "ada",
            "password": "canary-password",
        }
    ]
    assert server.seen[0].path == "/token"


def test_a_token_is_renewed_before_its_end_and_by_refresh() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        clock.now += 539
        assert keeper.token() == "canary-access-1"
        clock.now += 1
        assert keeper.token() == "canary-access-2"
    assert provider.grants == ["password", "refresh_token"]
    assert provider.forms[1]["refresh_token"] == "canary-refresh-1"


def test_a_token_shorter_than_the_margin_is_used_for_half_its_life() -> None:
    provider, clock = Provider(), Clock()
    provider.life = 20
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        clock.now += 9
        assert keeper.token() == "canary-access-1"
        clock.now += 1
        assert keeper.token() == "canary-access-2"


def test_an_old_refresh_token_is_not_even_tried() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        clock.now += 3600
        keeper.token()
    assert provider.grants == ["password", "password"]


def test_a_dead_refresh_token_falls_back_to_the_password() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        provider.revoked = True
        clock.now += 590
        assert keeper.token() == "canary-access-3"
    assert provider.grants == ["password", "refresh_token", "password"]


def test_many_threads_at_expiry_cost_one_token() -> None:
    provider, clock = Provider(), Clock()
    provider.hold = threading.Event()
    start = threading.Barrier(51)
    with serving(provider) as server, ThreadPoolExecutor(50) as threads:
        keeper = broker(server, clock)

        def ask() -> str:
            start.wait()
            return keeper.token()

        asked = [threads.submit(ask) for _ in range(50)]
        start.wait()
        provider.hold.set()
        assert {future.result() for future in asked} == {"canary-access-1"}
    assert provider.grants == ["password"]


def test_many_threads_that_were_refused_cost_one_token() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server, ThreadPoolExecutor(50) as threads:
        keeper = broker(server, clock)
        refused = keeper.token()
        assert set(threads.map(keeper.renewed, [refused] * 200)) == {"canary-access-2"}
    assert provider.grants == ["password", "refresh_token"]


def test_a_failure_reaches_all_who_wait_and_the_provider_rests_a_moment() -> None:
    provider, clock = Provider(), Clock()
    provider.fault = Answer(503, hold=threading.Event())
    start = threading.Barrier(9)
    with serving(provider) as server, ThreadPoolExecutor(8) as threads:
        keeper = broker(server, clock)

        def ask() -> str:
            start.wait()
            return keeper.token()

        asked = [threads.submit(ask) for _ in range(8)]
        start.wait()
        assert provider.fault.hold is not None
        provider.fault.hold.set()
        assert {type(future.exception()) for future in asked} == {UpstreamUnavailable}
        provider.fault = None
        calls = len(provider.forms)
        with pytest.raises(UpstreamUnavailable):
            keeper.token()
        assert len(provider.forms) == calls
        clock.now += 1
        assert keeper.token().startswith("canary-access-")


def test_a_good_token_is_given_out_while_the_provider_is_down() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        provider.fault = Answer(503)
        clock.now += 590
        assert keeper.token() == "canary-access-1"
        clock.now += 10
        with pytest.raises(UpstreamUnavailable):
            keeper.token()


def test_a_refused_token_is_never_given_out_again() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        refused = keeper.token()
        provider.fault = Answer(503)
        with pytest.raises(UpstreamUnavailable):
            keeper.renewed(refused)
        with pytest.raises(UpstreamUnavailable):
            keeper.token()
        provider.fault = None
        clock.now += 1
        assert keeper.token() != refused
