"""Section A, as far as logins go: storms, outages, refusals, second factors, tokens for others."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
import requests
from click.testing import CliRunner

from conformance.faults.identity import BYTES, TIMEOUT, Both, bridged
from stacbridge.cli import main
from stacbridge.errors import LoginRefused, UpstreamUnavailable
from tests.servers import Answer, Clock

ROOT = Path(__file__).parents[2]
WORKER = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from stacbridge.settings import Settings
from stacbridge.loading import load

upstream = load("toy", Settings())
print("ready", flush=True)
sys.stdin.readline()
start = threading.Barrier(100)
def ask(_):
    start.wait()
    return upstream.authorize(sys.argv[1])["Authorization"]
with ThreadPoolExecutor(100) as threads:
    print(*set(threads.map(ask, range(100))), flush=True)
sys.stdin.readline()
"""


def test_f03_two_hundred_requests_at_expiry_make_one_token_call(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    clock = Clock()
    upstream = place.upstream(clock)
    upstream.log_in()
    clock.now += 600
    start = threading.Barrier(200)

    def ask(_: int) -> str:
        start.wait()
        return upstream.authorize(place.file)["Authorization"]

    with ThreadPoolExecutor(200) as threads:
        assert set(threads.map(ask, range(200))) == {"Bearer canary-access-2"}
    assert provider.grants == ["password", "refresh_token"]


def test_f03_two_processes_of_a_hundred_requests_each_make_one_token_call(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    environment = place.environment()
    command = [sys.executable, "-c", WORKER, place.file]
    workers = [
        subprocess.Popen(
            command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        assert [_line(worker) for worker in workers] == ["ready"] * 2
        for worker in workers:
            _nudge(worker)
        assert [_line(worker) for worker in workers] == ["Bearer canary-access-1"] * 2
    finally:
        for worker in workers:
            worker.communicate("\n", timeout=TIMEOUT)
    assert provider.grants == ["password"]


def _line(worker: "subprocess.Popen[str]") -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def _nudge(worker: "subprocess.Popen[str]") -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()


DOWN = {
    "down": Answer(503),
    "html": Answer(200, b"<html>canary sign in</html>", {"Content-Type": "text/html"}),
    "garbage": Answer(200, b'{"access_token": 7'),
}


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN)
def test_f04_without_its_provider_a_good_token_goes_on_and_then_the_answer_is_503(
    provider_and_place: Both, fault: Answer
) -> None:
    provider, place = provider_and_place
    clock = Clock()
    upstream = place.upstream(clock)
    with bridged(upstream, place.settings()) as (_, href):
        assert requests.get(href, timeout=TIMEOUT).content == BYTES
        provider.fault = fault
        clock.now += 590
        assert requests.get(href, timeout=TIMEOUT).content == BYTES
        clock.now += 20
        answer = requests.get(href, timeout=TIMEOUT)
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
        assert "canary" not in answer.text
        provider.fault = None
        clock.now += 31
        assert requests.get(href, timeout=TIMEOUT).content == BYTES


def test_f04_a_slow_provider_holds_up_nobody_while_the_token_is_good(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    clock, release = Clock(), threading.Event()
    upstream = place.upstream(clock)
    before = upstream.authorize(place.file)
    provider.fault = Answer(503, hold=release)
    clock.now += 590
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(upstream.authorize, place.file)
        while len(provider.grants) < 2:
            release.wait(0.01)
        assert upstream.authorize(place.file) == before
        release.set()
        assert first.result(TIMEOUT) == before


def test_f04_a_provider_that_is_down_is_left_alone_ever_longer(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    provider.fault = Answer(503)
    clock = Clock()
    upstream = place.upstream(clock, retry_wait=1)
    for _ in range(600):
        with pytest.raises(UpstreamUnavailable):
            upstream.authorize(place.file)
        clock.now += 1
    assert len(provider.grants) < 30


def test_f05_a_revoked_session_costs_one_fresh_login(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    upstream = place.upstream()
    headers = upstream.authorize(place.file)
    provider.revoked = True
    assert upstream.reauthorize(place.file, headers) != headers
    assert provider.grants == ["password", "refresh_token", "password"]


def test_f05_a_refused_account_is_not_tried_for_a_quarter_of_an_hour_and_searches_go_on(
    provider_and_place: Both,
) -> None:
    provider, place = provider_and_place
    clock = Clock()
    upstream = place.upstream(clock, password="wrong")
    with bridged(upstream, place.settings()) as (url, href):
        for _ in range(3):
            answer = requests.get(href, timeout=TIMEOUT)
            assert (answer.status_code, answer.json()["code"]) == (503, "LoginRefused")
            assert "Retry-After" not in answer.headers
            assert 880 <= answer.json()["retry_after"] <= 900
        assert provider.grants == ["password"]
        assert requests.get(f"{url}/search?collections=toys", timeout=TIMEOUT).json()["features"]
        told = requests.get(f"{url}/health", timeout=TIMEOUT).json()["catalogues"]["toy"]["warnings"]
        assert "refuses the account" in told[0]
        clock.now += 901
        assert requests.get(href, timeout=TIMEOUT).status_code == 503
        assert provider.grants == ["password"] * 2


def test_f05_a_restart_does_not_try_a_refused_account_again_and_another_password_is_tried(
    provider_and_place: Both,
) -> None:
    provider, place = provider_and_place
    for _ in range(3):
        with pytest.raises(LoginRefused):
            place.upstream(password="wrong").authorize(place.file)
    assert provider.grants == ["password"]
    assert place.upstream().authorize(place.file)


@pytest.mark.parametrize("told", ["Invalid user credentials", "OTP code is missing"])
def test_f07_a_second_factor_is_named_by_the_self_test(provider_and_place: Both, told: str) -> None:
    provider, place = provider_and_place
    refusal = {"error": "invalid_grant", "error_description": told}
    provider.fault = Answer(401, orjson.dumps(refusal))
    result = CliRunner().invoke(main, ["check"], env=place.environment())
    assert "second factor" in result.output
    assert "STACBRIDGE_CREDENTIALS__TOY__TOTP_SECRET" in result.output
    assert result.exit_code == 1


def test_f08_a_token_of_a_sentinel_hub_client_is_told_apart_and_not_renewed(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    provider.audience = False
    upstream = place.upstream()
    with bridged(upstream, place.settings()) as (_, href):
        answer = requests.get(href, timeout=TIMEOUT)
    assert answer.status_code == 502
    assert "Sentinel Hub client cannot download" in answer.text
    assert provider.grants == ["password"]
