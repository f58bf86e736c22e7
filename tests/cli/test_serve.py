from pathlib import Path
from typing import Literal

import pytest

from stacbridge.app import loaded
from stacbridge.commands.serve import accounts, introduction
from stacbridge.errors import Misconfigured, StoreUnavailable
from stacbridge.orders.store import check_place, check_store
from stacbridge.settings import Credentials, Settings
from tests.cli.commands import run


def told(settings: Settings, demo: bool = False) -> str:
    return "\n".join(introduction(settings, demo))


def test_the_introduction_says_what_is_served() -> None:
    assert "Serving cdse as one STAC API." in told(Settings(catalogues=["cdse"], credentials={}))


def test_a_catalogue_without_an_account_says_what_a_download_needs() -> None:
    (text,) = accounts(loaded(Settings(catalogues=["cdse"], credentials={})))
    assert "STACBRIDGE_CREDENTIALS__CDSE__USERNAME and STACBRIDGE_CREDENTIALS__CDSE__PASSWORD" in text
    assert "stacbridge login cdse" in text


def test_an_account_that_is_set_needs_no_word() -> None:
    account = Credentials.model_validate({"username": "me", "password": "hunter2"})
    assert list(accounts(loaded(Settings(credentials={"cdse": account})))) == []


def test_the_introduction_says_that_a_demo_is_simulated() -> None:
    account = Credentials.model_validate({"username": "me", "password": "hunter2"})
    text = told(Settings(credentials={"cdse": account}), demo=True)
    assert "cdse (simulated)" in text
    assert "hunter2" not in text


ELSEWHERE = ["0.0.0.0", "::", "192.0.2.7", "bridge.example.org"]


@pytest.mark.parametrize("host", ELSEWHERE)
def test_an_open_bridge_refuses_an_address_that_others_reach(host: str) -> None:
    with pytest.raises(Misconfigured, match="is not a loopback address"):
        told(Settings(host=host))


@pytest.mark.parametrize("host", ELSEWHERE)
def test_an_open_bridge_that_must_be_reached_by_others_is_warned_about(host: str) -> None:
    assert f"Warning: {host} is not a loopback address." in told(Settings(host=host, open_to_network=True))


@pytest.mark.parametrize("access", ["keys", "oidc"])
def test_a_bridge_that_asks_who_comes_may_listen_anywhere(access: Literal["keys", "oidc"]) -> None:
    assert "Warning" not in told(Settings(host="0.0.0.0", access=access))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_an_address_that_only_this_machine_reaches_is_not_warned_about(host: str) -> None:
    assert "Warning" not in told(Settings(host=host))


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("SPOOL_FOLDER", "{}/file", "Error: spool_folder: {}/file cannot be used."),
        ("SPOOL_FOLDER", "{}/file/below", "Answered: Not a directory"),
        ("SPOOL_FOLDER", "/proc/nowhere", "To do: See who may write there, or name another folder."),
        (
            "ORDER_STORE",
            "{}/orders.sqlite",
            "Error: order_store must start with sqlite:/// or postgresql://.",
        ),
        ("ORDER_STORE", "postgresql+psycopg://ada:hunter2@x/y", "Error: order_store must start with"),
        ("ORDER_STORE", "sqlite:///{}/file/orders.sqlite", "cannot be made: {}/file cannot be written."),
        ("ORDER_STORE", "sqlite:///{}/file/orders.sqlite", "or name another file by order_store."),
        ("ORDER_STORE", "sqlite:///{}/file", "Error: The order book {}/file cannot be opened."),
    ],
)
def test_a_place_that_cannot_be_used_is_told_before_anything_is_served(
    setting: str, value: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("This is neither a folder nor a database.")
    result = run("serve", "--port", "0", **{f"STACBRIDGE_{setting}": value.format(tmp_path)})
    assert result.exit_code == 1
    assert told.format(tmp_path) in result.stderr
    assert not any(word in result.output for word in ("Traceback", "uvicorn", "hunter2", "Ready"))


def test_an_order_book_that_nobody_set_needs_no_place_before_the_first_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("This is no folder.")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    check_store(Settings())
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        check_place(Settings())
