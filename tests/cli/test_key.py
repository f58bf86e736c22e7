"""Making, listing and revoking API keys, as an operator does."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stacbridge.callers.keys import Keys
from stacbridge.cli import main
from stacbridge.simulators import CdseSimulator


def run(folder: Path, *arguments: str) -> Result:
    clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("STACBRIDGE_")}
    environment = clean | {"STACBRIDGE_KEY_FOLDER": str(folder)}
    return CliRunner().invoke(main, ["key", *arguments], env=environment)


def test_a_made_key_is_alone_on_stdout_and_opens(tmp_path: Path) -> None:
    made = run(tmp_path, "create", "Ada Lovelace")
    holder = Keys(tmp_path).holder(made.stdout.strip())
    assert made.exit_code == 0
    assert holder is not None and holder.name == "Ada Lovelace"


def test_the_list_shows_who_and_since_when_and_nothing_that_opens(tmp_path: Path) -> None:
    keys = [run(tmp_path, "create", name).stdout.strip() for name in ("Ada", "Bob\x1b[31m")]
    listed = run(tmp_path, "list").output
    for key in keys:
        id, _, secret = key.partition(".")
        assert id in listed
        assert secret not in listed
    assert "Ada" in listed
    assert "\x1b" not in listed


def test_a_revoked_key_opens_nothing_and_says_since_when(tmp_path: Path) -> None:
    key = run(tmp_path, "create", "Ada").stdout.strip()
    id = key.partition(".")[0]
    assert f"{id} was revoked." in run(tmp_path, "revoke", id).stderr
    assert Keys(tmp_path).holder(key) is None
    assert "was revoked already" in run(tmp_path, "revoke", id).stderr
    (kept,) = Keys(tmp_path).all()
    assert kept.revoked is not None and kept.revoked in run(tmp_path, "list").output


@pytest.mark.parametrize("id", ["kaaaaaaaaaaaaaaaa", "../key", "Ada"])
def test_what_is_no_key_cannot_be_revoked(tmp_path: Path, id: str) -> None:
    result = run(tmp_path, "revoke", id)
    assert result.exit_code == 1
    assert "stacbridge key list" in result.stderr


def test_a_command_that_starts_a_bridge_for_oneself_needs_no_key(tmp_path: Path) -> None:
    clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("STACBRIDGE_")}
    with CdseSimulator(size=1000) as simulator:
        environment = clean | {
            "STACBRIDGE_ACCESS": "keys",
            "STACBRIDGE_PROTECT_SEARCHES": "true",
            "STACBRIDGE_ACCOUNTS": '{"cdse": "own"}',
            "STACBRIDGE_ENDPOINTS__CDSE__CATALOGUE": simulator.catalogue_url,
        }
        found = CliRunner().invoke(main, ["search", "-c", "sentinel-2-l2a", "--json"], env=environment)
    assert found.exit_code == 0, found.output
    assert "?t=" not in found.stdout
