"""Section A, as far as what is kept goes: sessions, their clocks, accounts of callers, secrets at rest."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings as hypothesis
from hypothesis.stateful import run_state_machine_as_test

from conformance.faults.identity import PASSWORD, Both
from conformance.faults.kit import full
from stacbridge.callers.principal import Principal
from stacbridge.callers.signing import Signing
from stacbridge.cli import main
from stacbridge.errors import SignatureExpired
from tests.callers.accounts_machine import Accounts
from tests.servers import Clock


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
    runner = CliRunner(env={"STACBRIDGE_CONFIG": None})  # which the option sets for the process
    refused = runner.invoke(main, ["--config", str(file), "catalogues"])
    assert (refused.exit_code, f"chmod 600 {file}" in refused.output) == (1, True)
    assert PASSWORD not in refused.output
    file.chmod(0o600)
    assert runner.invoke(main, ["--config", str(file), "catalogues"]).exit_code == 0


def test_f12_a_key_that_everybody_may_read_opens_nothing(provider_and_place: Both) -> None:
    provider, place = provider_and_place
    place.upstream().log_in()
    key = place.folder / "accounts" / "key"
    os.chmod(key, 0o644)
    assert place.session_file().read() is None
    os.chmod(key, 0o600)
    assert place.session_file().read() is not None
    assert provider.grants == ["password"]
