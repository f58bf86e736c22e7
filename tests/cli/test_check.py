import json
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from stacbridge.cli import main
from stacbridge.commands.catalogues import row
from stacbridge.commands.check import examine, skew
from stacbridge.commands.findings import Finding
from stacbridge.model import Reply
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.opensearch import OpenSearchSimulator
from stacbridge.simulators.server import CdseSimulator

NOWHERE = "http://127.0.0.1:1/odata/v1"


@pytest.fixture(scope="module")
def simulator() -> Iterator[CdseSimulator]:
    with CdseSimulator(size=1000) as running:
        yield running


def settings(simulator: CdseSimulator, **account: str) -> Settings:
    endpoints = {
        "catalogue": simulator.catalogue_url,
        "download": simulator.download_url,
        "token": simulator.token_url,
    }
    credentials = {"cdse": Credentials.model_validate(account)} if account else {}
    return Settings(endpoints={"cdse": endpoints}, credentials=credentials, retries=0)


def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine("cdse", settings)}


def test_a_healthy_catalogue_with_an_account_is_good_in_every_point(simulator: CdseSimulator) -> None:
    found = findings(settings(simulator, username=simulator.username, password=simulator.password))
    assert {subject: finding.good for subject, finding in found.items()} == {
        "reachable": True,
        "clock": True,
        "search": True,
        "account": True,
        "login": True,
        "s3 key": None,
    }
    assert found["search"].said.startswith("Its newest item is ")


def test_a_wrong_password_is_bad_and_names_the_settings_but_not_their_values(
    simulator: CdseSimulator,
) -> None:
    login = findings(settings(simulator, username=simulator.username, password="hunter2"))["login"]
    assert login.good is False
    assert "STACBRIDGE_CREDENTIALS__CDSE__PASSWORD" in login.said
    assert "hunter2" not in login.said


def test_half_an_account_is_bad_and_names_the_other_half(simulator: CdseSimulator) -> None:
    found = findings(settings(simulator, username=simulator.username))["account"]
    assert found == Finding("account", False, "Set STACBRIDGE_CREDENTIALS__CDSE__PASSWORD too.")


def test_a_client_of_sentinel_hub_is_the_wrong_kind_of_account(simulator: CdseSimulator) -> None:
    found = findings(settings(simulator, username="sh-4711", password="hunter2"))["account"]
    assert (found.good, "Sentinel Hub" in found.said) == (False, True)


def test_no_account_is_not_bad(simulator: CdseSimulator) -> None:
    found = findings(settings(simulator))
    assert (found["account"].good, "login" in found) == (None, False)
    assert "STACBRIDGE_CREDENTIALS__CDSE__USERNAME" in found["account"].said


def test_a_catalogue_that_is_not_there_is_not_reachable() -> None:
    gone = Settings(endpoints={"cdse": {"catalogue": NOWHERE}}, credentials={}, retries=0)
    found = findings(gone)
    assert (found["reachable"].good, found["search"].good) == (False, False)
    assert NOWHERE in found["reachable"].said


@pytest.mark.parametrize(("offset", "good"), [(0, True), (29, True), (-29, True), (40, False), (-40, False)])
def test_a_clock_that_is_off_by_more_than_half_a_minute_is_bad(offset: int, good: bool) -> None:
    reply = Reply(200, {"date": "Sat, 21 Nov 2026 00:00:00 GMT"}, b"")
    finding = skew(reply, 1_795_219_200 + offset)
    assert (finding.good, f"{abs(offset)} s" in finding.said) == (good, True)


def test_an_upstream_without_a_date_leaves_the_clock_untested() -> None:
    assert skew(Reply(200, {}, b""), time.time()).good is None


def test_the_command_prints_a_line_a_point_and_fails_where_one_is_bad(simulator: CdseSimulator) -> None:
    environment = {
        "STACBRIDGE_CONFIG": None,
        "STACBRIDGE_ENDPOINTS__CDSE__CATALOGUE": simulator.catalogue_url,
        "STACBRIDGE_ENDPOINTS__CDSE__DOWNLOAD": simulator.download_url,
        "STACBRIDGE_ENDPOINTS__CDSE__TOKEN": simulator.token_url,
        "STACBRIDGE_CREDENTIALS__CDSE__USERNAME": simulator.username,
        "STACBRIDGE_CREDENTIALS__CDSE__PASSWORD": "wrong",
    }
    wrong = CliRunner().invoke(main, ["check"], env=environment)
    right = {**environment, "STACBRIDGE_CREDENTIALS__CDSE__PASSWORD": simulator.password}
    good = CliRunner().invoke(main, ["check", "cdse"], env=right)
    assert (wrong.exit_code, good.exit_code) == (1, 0)
    assert [line.split()[0] for line in good.output.splitlines()] == [*["ok"] * 5, "--"]
    assert "BAD  cdse  login" in wrong.output


def test_a_catalogue_that_is_not_configured_is_refused() -> None:
    result = CliRunner().invoke(main, ["check", "sedas"])
    assert (result.exit_code, "No catalogue 'sedas' is configured" in result.stderr) == (1, True)


def test_the_list_of_catalogues_says_what_is_configured() -> None:
    id, title, protocol, collections, login = row("cdse", Settings(credentials={}))
    assert (id, title, protocol) == ("cdse", "Copernicus Data Space Ecosystem", "odata")
    assert int(collections) > 50
    assert "STACBRIDGE_CREDENTIALS__CDSE__USERNAME and STACBRIDGE_CREDENTIALS__CDSE__PASSWORD" in login


def test_an_account_is_listed_as_set_and_never_shown() -> None:
    set_ = Credentials.model_validate({"username": "me", "password": "hunter2"})
    *_, login = row("cdse", Settings(credentials={"cdse": set_}))
    assert login == "User name and password, without one-time codes."


def twins(folder: Path, url: str, *, named: str) -> dict[str, str]:
    """Return the environment of two catalogues of one service; both files name the collections of `named`."""
    shipped = (files("stacbridge") / "catalogues" / "cgls.toml").read_text()
    ids = ("one", "other")
    for id in ids:
        (folder / f"{id}.toml").write_text(shipped.replace('id = "cgls"', f'id = "{id}"', 1) + named)
    endpoints = {id: {"description": f"{url}/catalogue/description"} for id in ids}
    return {
        "STACBRIDGE_CATALOGUE_FOLDER": str(folder),
        "STACBRIDGE_CATALOGUES": json.dumps(ids),
        "STACBRIDGE_ENDPOINTS": json.dumps(endpoints),
    }


def test_collections_that_are_left_out_are_told_and_not_bad(tmp_path: Path) -> None:
    with OpenSearchSimulator(size=60) as service:
        environment = twins(tmp_path, service.url, named="")
        result = CliRunner().invoke(main, ["check"], env=environment)
        single = CliRunner().invoke(main, ["check", "other"], env=environment)
    (line,) = [line for line in result.output.splitlines() if "listing" in line]
    assert line.startswith("--   other  listing    Left out are Collections")
    assert "(one)" in line and result.exit_code == 0
    assert "listing" not in single.output


def test_two_catalogues_whose_files_name_one_collection_are_bad(tmp_path: Path) -> None:
    named = (
        '[[collection]]\nid = "mine"\ntitle = "Mine"\ndescription = "Mine."\nmatch = {productType = ["M"]}\n'
    )
    with OpenSearchSimulator(size=60) as service:
        result = CliRunner().invoke(main, ["check"], env=twins(tmp_path, service.url, named=named))
    assert "BAD  all  listing    Collection 'mine' is in both catalogues 'one' and 'other'." in result.output
    assert result.exit_code == 1
