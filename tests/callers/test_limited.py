"""Too many failed logins, over HTTP: by keys, Basic and tokens, directly and behind a proxy."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.callers.bridges import Bridge, guarded
from tests.callers.issuer import AUDIENCE, provider

MOST = 4
WRONG = "kaaaaaaaaaaaaaaaa.canary-secret"


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    with guarded(tmp_path, login_failures=MOST) as running:
        yield running


def statuses(bridge: Bridge, times: int, **how: object) -> list[int]:
    return [bridge.ask("/search", **how).status_code for _ in range(times)]  # type: ignore[arg-type]


def test_after_so_many_wrong_keys_more_are_429_and_say_when_to_come_back(bridge: Bridge) -> None:
    assert statuses(bridge, MOST, key=WRONG) == [401] * MOST
    answer = bridge.ask("/search", key=WRONG)
    assert (answer.status_code, answer.json()["code"]) == (429, "TooManyRequests")
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert 0 < answer.json()["retry_after"] <= 300
    assert "canary" not in answer.text


def test_no_key_is_looked_at_from_there_for_now_and_who_gives_none_is_served(bridge: Bridge) -> None:
    statuses(bridge, MOST, key=WRONG)
    assert bridge.ask("/search", key=bridge.key).status_code == 429
    assert bridge.ask("/search").status_code == 200
    assert bridge.ask("/healthz").status_code == 200


def test_signed_hrefs_open_what_they_open_from_there_too(bridge: Bridge) -> None:
    href = bridge.asset(bridge.key)["href"]
    statuses(bridge, MOST, key=WRONG)
    assert bridge.ask(href).status_code == 200


def test_passwords_of_basic_are_counted_like_keys(bridge: Bridge) -> None:
    words = base64.b64encode(f"ada:{WRONG}".encode()).decode()
    assert statuses(bridge, MOST + 1, headers={"Authorization": f"Basic {words}"}) == [401] * MOST + [429]


def test_a_header_that_cannot_be_read_is_no_login(bridge: Bridge) -> None:
    assert statuses(bridge, 2 * MOST, headers={"Authorization": "Digest username=ada"}) == [401] * 2 * MOST


def test_behind_a_listed_proxy_the_address_that_it_heard_counts(bridge: Bridge) -> None:
    here, there = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "198.51.100.7"}
    assert statuses(bridge, MOST + 1, key=WRONG, headers=here)[-1] == 429
    assert bridge.ask("/search", key=bridge.key, headers=there).status_code == 200


def test_what_a_client_writes_in_front_of_what_the_proxy_heard_does_not_count(bridge: Bridge) -> None:
    made_up = [{"X-Forwarded-For": f"203.0.113.{n}, 192.0.2.1"} for n in range(MOST + 1)]
    answers = [bridge.ask("/search", key=WRONG, headers=header).status_code for header in made_up]
    assert answers[-1] == 429


def test_forwarded_addresses_of_anybody_else_do_not_count(tmp_path: Path) -> None:
    with guarded(tmp_path, login_failures=MOST, trusted_proxies=["10.0.0.0/8"]) as bridge:
        made_up = [{"X-Forwarded-For": f"203.0.113.{n}"} for n in range(MOST + 1)]
        answers = [bridge.ask("/search", key=WRONG, headers=header).status_code for header in made_up]
        assert answers[-1] == 429


def test_tokens_that_are_wrong_are_limited_and_those_that_have_ended_are_not(tmp_path: Path) -> None:
    with (
        provider() as idp,
        guarded(
            tmp_path, login_failures=MOST, access="oidc", oidc_issuer=idp.url, oidc_audience=AUDIENCE
        ) as bridge,
    ):
        ended = idp.token(time.time(), exp=1_600_000_000)
        assert statuses(bridge, 2 * MOST, key=ended) == [401] * 2 * MOST
        assert bridge.ask("/search", key=idp.token(time.time())).status_code == 200
        wrong = idp.token(time.time(), aud="somebody else")
        assert statuses(bridge, MOST + 1, key=wrong) == [401] * MOST + [429]


def test_failures_show_in_the_metrics(bridge: Bridge) -> None:
    statuses(bridge, MOST + 1, key=WRONG)
    other = {"X-Forwarded-For": "192.0.2.1"}
    told = requests.get(
        f"{bridge.url}/metrics", headers={"Authorization": f"Bearer {bridge.key}"} | other, timeout=10
    ).text
    assert 'stacbridge_failed_logins_total{outcome="unseen"}' in told
    assert "canary" not in told
