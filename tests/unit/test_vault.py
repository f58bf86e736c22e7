"""Accounts that are kept: whole, private, and for the bridge to find."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from stacbridge.errors import Misconfigured
from stacbridge.loading import load
from stacbridge.settings import Credentials, Settings
from stacbridge.vault import EncryptedFiles, Keyring, open_vault, renew

ACCOUNT = Credentials(username="ada", password=SecretStr("canary-password"))


class Locked(Exception):
    """What a keyring raises that is not unlocked."""


class Ring:
    """A keyring as the package `keyring` gives it."""

    class errors:
        KeyringError = Locked

    def __init__(self, locked: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = locked

    def get_password(self, service: str, name: str) -> str | None:
        if self.locked:
            raise Locked("canary")
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, password: str) -> None:
        self.kept[service, name] = password

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


@pytest.fixture
def files(tmp_path: Path) -> EncryptedFiles:
    return EncryptedFiles(tmp_path / "accounts", tmp_path / "accounts" / "key")


@pytest.fixture(params=["files", "keyring"])
def vault(request: pytest.FixtureRequest, files: EncryptedFiles) -> EncryptedFiles | Keyring:
    return files if request.param == "files" else Keyring(Ring())


def test_what_is_kept_comes_back_until_it_is_forgotten(vault: EncryptedFiles | Keyring) -> None:
    assert vault.read("cdse") is None
    vault.write("cdse", ACCOUNT)
    vault.write("maap", Credentials(refresh_token=SecretStr("token")))
    assert vault.read("cdse") == ACCOUNT
    vault.forget("cdse")
    vault.forget("cdse")
    assert (vault.read("cdse"), vault.read("maap") is None) == (None, False)


def test_a_renewed_refresh_token_takes_the_place_of_the_old_one(vault: EncryptedFiles | Keyring) -> None:
    vault.write("maap", Credentials(refresh_token=SecretStr("old"), client_id="mine"))
    renew(vault, "maap", "new")
    assert vault.read("maap") == Credentials(refresh_token=SecretStr("new"), client_id="mine")
    renew(vault, "cdse", "new")
    assert vault.read("cdse") is None


def test_files_show_no_secret_and_nobody_but_the_owner_may_read_them(
    files: EncryptedFiles, tmp_path: Path
) -> None:
    files.write("cdse", ACCOUNT)
    written = list((tmp_path / "accounts").iterdir())
    assert sorted(file.name for file in written) == ["cdse.account", "key"]
    assert {file.stat().st_mode & 0o777 for file in written} == {0o600}
    assert (tmp_path / "accounts").stat().st_mode & 0o777 == 0o700
    assert not any(b"ada" in file.read_bytes() or b"canary" in file.read_bytes() for file in written)


@pytest.mark.parametrize("name", ["cdse.account", "key"])
def test_a_file_that_others_may_read_is_refused(files: EncryptedFiles, tmp_path: Path, name: str) -> None:
    files.write("cdse", ACCOUNT)
    os.chmod(tmp_path / "accounts" / name, 0o640)
    with pytest.raises(Misconfigured, match=f"chmod 600 .*{name}"):
        files.read("cdse")


@pytest.mark.parametrize("key", [b"", b"not a key", b"x" * 44])
def test_another_key_opens_nothing_and_is_named(files: EncryptedFiles, tmp_path: Path, key: bytes) -> None:
    files.write("cdse", ACCOUNT)
    (tmp_path / "accounts" / "key").write_bytes(key)
    with pytest.raises(Misconfigured, match=r"key is not the key of .*cdse\.account"):
        files.read("cdse")


def test_a_lost_key_is_named(files: EncryptedFiles, tmp_path: Path) -> None:
    files.write("cdse", ACCOUNT)
    (tmp_path / "accounts" / "key").unlink()
    with pytest.raises(Misconfigured, match="stacbridge login cdse"):
        files.read("cdse")


def test_a_changed_file_is_refused(files: EncryptedFiles, tmp_path: Path) -> None:
    files.write("cdse", ACCOUNT)
    file = tmp_path / "accounts" / "cdse.account"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(Misconfigured, match=r"cdse\.account"):
        files.read("cdse")


def test_a_keyring_that_is_locked_says_so() -> None:
    with pytest.raises(Misconfigured, match="Unlock it") as failure:
        Keyring(Ring(locked=True)).read("cdse")
    assert "canary" not in str(failure.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Misconfigured, match="taken"):
        EncryptedFiles(tmp_path / "taken", tmp_path / "key").write("cdse", ACCOUNT)


def test_the_settings_choose_the_place(tmp_path: Path) -> None:
    place = {"account_store": "files", "account_folder": tmp_path, "account_key": tmp_path / "elsewhere"}
    open_vault(Settings.model_validate(place)).write("cdse", ACCOUNT)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cdse.account", "elsewhere"]


def test_the_bridge_uses_a_kept_account_and_one_in_the_settings_goes_before_it(tmp_path: Path) -> None:
    place = {"account_store": "files", "account_folder": tmp_path}
    open_vault(Settings.model_validate(place)).write("cdse", Credentials(refresh_token=SecretStr("opaque")))
    (kept,) = load("cdse", Settings.model_validate(place)).remarks()
    (given,) = load("cdse", Settings.model_validate(place | {"credentials": {"cdse": ACCOUNT}})).remarks()
    assert "refresh token" in kept.said
    assert given.said.startswith("User name and password")


def test_no_secret_of_a_kept_account_shows(files: EncryptedFiles) -> None:
    files.write("cdse", ACCOUNT)
    assert "canary" not in repr(files) + repr(vars(files)) + repr(files.read("cdse"))
