"""Section A, as far as logins go: storms, outages, refusals, sessions, clocks, callers, secrets at rest."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
import requests
from click.testing import CliRunner
from hypothesis import settings as hypothesis
from hypothesis.stateful import run_state_machine_as_test

from conformance.faults.identity import BYTES, PASSWORD, TIMEOUT, Place, Provider, behind, bridged
from conformance.faults.kit import full
from stacbridge.callers.principal import Principal
from stacbridge.callers.signing import Signing
from stacbridge.cli import main
from stacbridge.errors import LoginRefused, SignatureExpired, UpstreamUnavailable
from tests.callers.test_accounts_machine import Accounts
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


@pytest.fixture
def provider_and_place(tmp_path: Path) -> Iterator[tuple[Provider, Place]]:
    with behind(tmp_path) as both:
        yield both


Both = tuple[Provider, Place]


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
            assert 880 <= int(answer.headers["Retry-After"]) <= 900
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


def test_f06_a_crash_loop_opens_one_session(provider_and_place: Both) -> None:
    """None of these bridges is closed, as where it is killed."""
    provider, place = provider_and_place
    tokens = {place.upstream().authorize(place.file)["Authorization"] for _ in range(20)}
    assert (len(tokens), provider.grants, provider.most) == (1, ["password"], 1)


def test_f06_a_session_from_before_the_machines_start_is_refreshed(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    place.upstream().log_in()
    session = place.session_file().read()
    assert session is not None
    place.session_file(boot="earlier").write(session)
    place.upstream().log_in()
    assert (provider.grants, provider.most) == (["password", "refresh_token"], 1)


def test_f06_a_clean_stop_logs_out_when_the_last_one_leaves(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    first, second = place.upstream(), place.upstream()
    first.log_in()
    second.log_in()
    first.close()
    assert len(provider.sessions) == 1
    second.close()
    assert (provider.sessions, provider.most) == ({}, 1)


def test_f06_a_session_is_kept_encrypted_for_its_owner_alone(provider_and_place: Both) -> None:
    _, place = provider_and_place
    place.upstream().log_in()
    files = [path for path in (place.folder / "accounts").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        assert b"canary" not in path.read_bytes()


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


@pytest.mark.parametrize("skew", [-600, 600])
def test_f09_lives_are_counted_on_the_monotonic_clock(provider_and_place: Both, skew: int) -> None:
    provider, place = provider_and_place
    clock, wall = Clock(), Clock(1_800_000_000)
    upstream = place.upstream(clock, wall=wall)
    upstream.log_in()
    wall.now += skew
    upstream.log_in()
    assert provider.grants == ["password"]
    clock.now += 541
    upstream.log_in()
    assert provider.grants == ["password", "refresh_token"]


def test_f09_signed_hrefs_tolerate_a_minute() -> None:
    wall = Clock(1_800_000_000)
    signing = Signing([b"canary-key"], 3600, 60, wall=wall)
    path = "/assets/toy/toys/TOY_ada/product/TOY_ada.zip"
    href = signing.sign("http://bridge", f"http://bridge{path}", Principal("kada", "Ada", "key")).href
    token = href.partition("?t=")[2]
    ends = int(token.split(".")[2], 16)
    wall.now = ends + 60
    assert signing.principal_id(path.encode(), token) == "kada"
    wall.now = ends + 61
    with pytest.raises(SignatureExpired):
        signing.principal_id(path.encode(), token)


def test_f10_whatever_callers_do_each_is_served_with_their_own_account() -> None:
    examples, steps = (1000, 100) if full() else (10, 30)
    chosen = hypothesis(max_examples=examples, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(Accounts, settings=chosen)


def test_f12_a_configuration_with_secrets_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "stacbridge.toml"
    file.write_text(f'[credentials.cdse]\nusername = "ada"\npassword = "{PASSWORD}"\n')
    file.chmod(0o644)
    refused = CliRunner().invoke(main, ["--config", str(file), "catalogues"])
    assert (refused.exit_code, f"chmod 600 {file}" in refused.output) == (1, True)
    assert PASSWORD not in refused.output
    file.chmod(0o600)
    assert CliRunner().invoke(main, ["--config", str(file), "catalogues"]).exit_code == 0


def test_f12_a_key_that_everybody_may_read_opens_nothing(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    place.upstream().log_in()
    key = place.folder / "accounts" / "key"
    os.chmod(key, 0o644)
    assert place.session_file().read() is None
    os.chmod(key, 0o600)
    assert place.session_file().read() is not None
    assert provider.grants == ["password"]
