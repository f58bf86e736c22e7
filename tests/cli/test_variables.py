"""Settings that name nothing are refused: whoever wrote one believes that it holds."""

from pathlib import Path

import pytest

from stacbridge.commands.configuration import load_settings
from stacbridge.commands.variables import PREFIX, check_catalogues, check_variables
from stacbridge.errors import Misconfigured
from stacbridge.settings import Settings
from tests.cli.commands import run

TOY = Path(__file__).parents[1] / "unit" / "catalogues"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ACESS", "keys", "No setting is named STACBRIDGE_ACESS."),
        ("ACESS", "keys", "Did you mean STACBRIDGE_ACCESS?"),
        ("port_", "80", "No setting is named STACBRIDGE_PORT_."),
        ("PORT__TCP", "80", "No setting is named STACBRIDGE_PORT__TCP."),
        ("CATALOGUES__0", "cdse", "No setting is named STACBRIDGE_CATALOGUES__0."),
        ("QUITE_ANOTHER", "x", "docs/reference/settings.md has them all"),
        ("SECRET_FILE", "/run/secrets/hunter2", "Only secrets of accounts and of the bucket may stand in"),
        ("CATALOGUES", '["cdes"]', "There is no catalogue 'cdes', which the setting `catalogues` names."),
        ("ACCOUNTS", '{"cdes": "own"}', "Did you mean cdse?"),
        ("ACCOUNTS__CDES", "own", "which the setting `accounts` names"),
        (
            "CREDENTIALS__NOPE__PASSWORD",
            "hunter2",
            "There is: cdse, cgls, hrvpp, maap, sedas, terrascope; your own",
        ),
        ("UNCHECKED", '["cdes"]', "which the setting `unchecked` names"),
        ("ENDPOINTS__NOPE__TOKEN", "http://hunter2", "which the setting `endpoints` names"),
        ("ENDPOINTS__CDSE__TOKN", "http://hunter2", "Catalogue 'cdse' has no endpoint 'tokn'"),
        ("ENDPOINTS__SEDAS__NOPE", "http://hunter2", "It has: catalogue, token."),
    ],
)
def test_a_variable_that_names_nothing_is_refused_with_what_is_near(name: str, value: str, told: str) -> None:
    result = run("catalogues", **{f"STACBRIDGE_{name}": value})
    assert (result.exit_code, "hunter2" in result.output) == (1, False)
    assert told in " ".join(result.stderr.split())


def test_an_account_in_a_file_is_one_of_a_catalogue_as_its_id_is_written(tmp_path: Path) -> None:
    file = tmp_path / "stacbridge.toml"
    file.write_text('[credentials.CDSE]\nusername = "me"\n')
    result = run("--config", str(file), "catalogues")
    assert "There is no catalogue 'CDSE'" in result.stderr and "Did you mean cdse?" in result.stderr


def test_an_account_may_wait_for_its_catalogue_to_be_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACBRIDGE_CREDENTIALS__MAAP__USERNAME", "me")
    assert load_settings().catalogues == ["cdse"]


def test_a_catalogue_of_ones_own_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACBRIDGE_ENDPOINTS__TOY__DOWNLOAD", "http://127.0.0.1:1")
    with pytest.raises(Misconfigured, match="no catalogue 'toy'"):
        load_settings()
    monkeypatch.setenv("STACBRIDGE_CATALOGUE_FOLDER", str(TOY))
    assert load_settings().endpoints == {"toy": {"download": "http://127.0.0.1:1"}}


def test_a_folder_of_catalogues_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    settings = Settings(catalogue_folder=tmp_path / "own")
    (tmp_path / "own").rmdir()
    with pytest.raises(Misconfigured, match=r"catalogue_folder: .*own cannot be read"):
        check_catalogues(settings)


def test_every_setting_may_be_set() -> None:
    check_variables({f"{PREFIX}{name.upper()}": "" for name in Settings.model_fields})
    check_variables({f"{PREFIX}{name}": "" for name in ("CONFIG", "URL", "KEY", "RECORDINGS", "SCHEMAS")})
    check_variables({f"{PREFIX}CREDENTIALS__CDSE__PASSWORD_FILE": "", "stacbridge_spool_bucket__name": ""})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CATALOGUES", "[]", "STACBRIDGE_CATALOGUES: List should have at least 1 item"),
        ("CATALOGUE_FOLDER", "/nowhere", "STACBRIDGE_CATALOGUE_FOLDER: Path does not point to a directory"),
        ("PUBLIC_URL", "foo", "STACBRIDGE_PUBLIC_URL: must be like https://stac.example.org"),
        ("PUBLIC_URL", "ftp://stac.example.org", "STACBRIDGE_PUBLIC_URL: must be like"),
        ("PUBLIC_URL", "https://", "STACBRIDGE_PUBLIC_URL: must be like"),
        ("PUBLIC_URL", "https://stac.example.org/?a=b", "STACBRIDGE_PUBLIC_URL: must be like"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name: str, value: str, told: str) -> None:
    result = run("catalogues", **{f"STACBRIDGE_{name}": value})
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split())
