"""Signing in and out, as a person does, at the simulated identity service."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from stacbridge.cli import main
from stacbridge.loading import load
from stacbridge.settings import Settings
from stacbridge.simulators import CdseSimulator
from stacbridge.vault import open_vault


@pytest.fixture(scope="module")
def simulator() -> Iterator[CdseSimulator]:
    with CdseSimulator(size=1000) as running:
        yield running


@pytest.fixture
def environment(simulator: CdseSimulator, tmp_path: Path) -> Iterator[dict[str, str]]:
    base = simulator.token_url.removesuffix("/token")
    endpoints = {
        "catalogue": simulator.catalogue_url,
        "download": simulator.download_url,
        "token": simulator.token_url,
        "authorize": f"{base}/auth",
        "logout": f"{base}/logout",
    }
    named = {f"STACBRIDGE_ENDPOINTS__CDSE__{name.upper()}": url for name, url in endpoints.items()}
    yield named | {"STACBRIDGE_ACCOUNT_STORE": "files", "STACBRIDGE_ACCOUNT_FOLDER": str(tmp_path)}
    simulator.identity.consents = True


def run(environment: dict[str, str], *arguments: str, typed: str = "") -> Result:
    clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("STACBRIDGE_")}
    return CliRunner().invoke(main, arguments, input=typed, env=clean | environment)


def started(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STACBRIDGE_")}
    command = [sys.executable, "-m", "stacbridge", "login", "cdse", "--with", "browser", *arguments]
    return subprocess.Popen(command, env=clean | environment, stderr=subprocess.PIPE, text=True)


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.startswith("Sign in at http"), line
    return line.removeprefix("Sign in at ").strip()


def kept(folder: Path) -> Settings:
    return Settings.model_validate({"account_store": "files", "account_folder": folder})


def test_a_password_is_asked_for_without_echo_tried_and_kept(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    result = run(environment, "login", "cdse", typed=f"{simulator.username}\n{simulator.password}\n")
    assert result.exit_code == 0, result.output
    assert simulator.password not in result.output
    account = open_vault(kept(tmp_path)).read("cdse")
    assert account is not None and account.password is not None
    assert (account.username, account.password.get_secret_value()) == (simulator.username, simulator.password)
    check = run(environment, "check", "cdse")
    assert (check.exit_code, "ok   cdse  login" in check.output) == (0, True)


def test_a_wrong_password_is_refused_and_not_kept(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    result = run(environment, "login", "cdse", typed=f"{simulator.username}\nhunter2\n")
    assert (result.exit_code, "hunter2" in result.output) == (1, False)
    assert open_vault(kept(tmp_path)).read("cdse") is None


def test_a_browser_signs_in_and_the_refresh_token_is_kept_and_used(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    process = started(environment, "--no-browser")
    landed = requests.get(address(process), timeout=10)
    _, told = process.communicate(timeout=30)
    assert (landed.status_code, process.returncode) == (200, 0), told
    account = open_vault(kept(tmp_path)).read("cdse")
    assert account is not None and account.refresh_token is not None and account.password is None
    assert account.refresh_token.get_secret_value() not in told + landed.text + landed.url
    check = run(environment, "check", "cdse")
    assert (check.exit_code, "refresh token" in check.output) == (0, True)


def test_the_browser_of_the_system_is_opened_at_the_page_and_may_stay_open(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    visit, closed = tmp_path / "browser.py", tmp_path / "closed"
    os.mkfifo(closed)
    visit.write_text(
        f"import sys, requests\nrequests.get(sys.argv[1], timeout=30)\nopen({str(closed)!r}).close()\n"
    )
    with started(environment | {"BROWSER": f"{sys.executable} {visit} %s"}) as process:
        try:
            assert process.wait(timeout=20) == 0
        finally:
            os.close(os.open(closed, os.O_RDWR))


def test_who_refuses_at_the_page_is_not_signed_in(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    simulator.identity.consents = False
    process = started(environment, "--no-browser")
    requests.get(address(process), timeout=10)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, "access_denied: The user said no" in told) == (1, True)
    assert open_vault(kept(tmp_path)).read("cdse") is None


def test_an_answer_to_another_attempt_changes_nothing(
    simulator: CdseSimulator, environment: dict[str, str]
) -> None:
    process = started(environment, "--no-browser")
    page = address(process)
    landing = requests.get(page, timeout=10, allow_redirects=False).headers["Location"]
    home = landing.partition("?")[0]
    assert requests.get(f"{home}?code=stolen&state=guessed", timeout=10).status_code == 404
    assert requests.get(f"{home}?code=stolen", timeout=10).status_code == 404
    assert requests.get(home.replace("/signed-in", "/favicon.ico"), timeout=10).status_code == 404
    assert process.poll() is None
    assert requests.get(landing, timeout=10).status_code == 200
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0, told


def test_logout_ends_the_session_and_forgets_the_account(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    process = started(environment, "--no-browser")
    requests.get(address(process), timeout=10)
    process.communicate(timeout=30)
    before = simulator.sessions.count()
    result = run(environment, "logout", "cdse")
    assert (result.exit_code, simulator.sessions.count()) == (0, before - 1), result.output
    assert open_vault(kept(tmp_path)).read("cdse") is None
    again = run(environment, "logout", "cdse")
    assert (again.exit_code, "No account is kept" in again.output) == (0, True)


def test_an_account_is_forgotten_even_where_the_upstream_cannot_be_told(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    process = started(environment, "--no-browser")
    requests.get(address(process), timeout=10)
    process.communicate(timeout=30)
    gone = environment | {"STACBRIDGE_ENDPOINTS__CDSE__LOGOUT": "http://127.0.0.1:1/logout"}
    result = run(gone, "logout", "cdse")
    assert (result.exit_code, "may go on" in result.output) == (1, True)
    assert open_vault(kept(tmp_path)).read("cdse") is None


def test_a_way_that_a_catalogue_does_not_know_is_refused(environment: dict[str, str]) -> None:
    result = run(environment, "login", "cdse", "--with", "token")
    assert (result.exit_code, "There is: password, browser." in result.output) == (1, True)


def test_the_kept_account_opens_a_download(
    simulator: CdseSimulator, environment: dict[str, str], tmp_path: Path
) -> None:
    run(environment, "login", "cdse", typed=f"{simulator.username}\n{simulator.password}\n")
    endpoints = {
        "catalogue": simulator.catalogue_url,
        "download": simulator.download_url,
        "token": simulator.token_url,
    }
    settings = kept(tmp_path).model_copy(update={"endpoints": {"cdse": endpoints}})
    upstream = load("cdse", settings)
    assert upstream.authorize(f"{simulator.download_url}/Products(1)/$value")
    upstream.close()
