"""No test reads or writes what belongs to whoever runs it."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from stacbridge.callers.keys import Keys
from stacbridge.orders.store import open_store
from stacbridge.settings import Credentials, Settings
from stacbridge.vault import open_vault
from tests.home import FORBIDDEN, OWN, leave

BOOK = leave() / "state" / "stacbridge" / "orders.sqlite"
ROOT = Path(__file__).parent.parent
OPEN = "from stacbridge.orders.store import *; open_store(Settings()).close()"


@pytest.fixture(params=["here", "in a process of its own", "in one without our settings"])
def opened(request: pytest.FixtureRequest) -> None:
    """The default order book, made."""
    BOOK.unlink(missing_ok=True)
    if request.param == "here":
        open_store(Settings()).close()
        return
    environment = {**os.environ}
    if request.param == "in one without our settings":
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("STACBRIDGE_")
        }
    subprocess.run([sys.executable, "-c", OPEN], env=environment, check=True)


@pytest.mark.usefixtures("opened")
def test_the_default_order_book_is_in_the_home_of_the_tests() -> None:
    assert BOOK.is_file()
    assert Path.home() == leave()


def test_kept_accounts_and_keys_are_in_the_home_of_the_tests() -> None:
    vault = open_vault(Settings())
    vault.write("home", Credentials(username="ada"))
    Keys(Settings().key_folder).create("ada")
    kept = {file.parent.name for file in (leave() / ".config" / "stacbridge").rglob("*.*")}
    assert vault.name.startswith("encrypted") and kept == {"accounts", "keys"}
    vault.forget("home")


@pytest.mark.parametrize("place", FORBIDDEN)
def test_the_home_of_whoever_runs_the_tests_is_refused(place: str) -> None:
    assert Path(place).is_relative_to(OWN) and leave() != OWN
    with pytest.raises(PermissionError):
        Path(f"{place}/orders.sqlite").read_bytes()
    with pytest.raises(PermissionError):
        sqlite3.connect(f"{place}/orders.sqlite")


def test_no_setting_of_whoever_runs_the_tests_is_left() -> None:
    asked = "import os; from tests.home import leave; leave(); print(*sorted(os.environ))"
    mine = {
        "STACBRIDGE_ORDER_STORE": "sqlite:////mine",
        "STACBRIDGE_CONFIG": "/mine",
        "STACBRIDGE_SCHEMAS": "/theirs",
    }
    command = [sys.executable, "-c", asked]
    told = subprocess.run(
        command, env=os.environ | mine, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    left = {name for name in told if name.startswith("STACBRIDGE_")}
    assert left - {"STACBRIDGE_RECORDINGS", "STACBRIDGE_ONLINE"} == {
        "STACBRIDGE_KEEP_SESSIONS",
        "STACBRIDGE_SCHEMAS",
    }
