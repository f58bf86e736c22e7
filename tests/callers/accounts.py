"""The archive behind accounts as a bridge's catalogue, to which callers bring accounts of their own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from stacbridge.accounts import OwnAccounts
from stacbridge.callers.principal import Principal
from stacbridge.settings import Credentials, Settings
from stacbridge.vault import EncryptedFiles, Vault
from tests.callers.archive import Archive
from tests.servers import Clock, Server

USERS = ("ada", "bob", "cleo", "dan")


@dataclass(frozen=True)
class Place:
    """A folder with a catalogue file, and the archive that it names."""

    folder: Path
    archive: Archive
    server: Server

    def settings(self, **more: Any) -> Settings:
        return own_accounts(self.folder, **more)

    def vault(self) -> Vault:
        return EncryptedFiles(self.folder / "accounts", self.folder / "accounts" / "key")

    def catalogue(self, clock: Clock | None = None, **more: Any) -> OwnAccounts:
        return OwnAccounts("toy", self.settings(**more), self.vault(), clock=clock or Clock())


def own_accounts(folder: Path, **more: Any) -> Settings:
    """Return the settings of a bridge to the catalogue `toy` of a folder, to which callers bring accounts."""
    given = {
        "access": "keys",
        "key_folder": folder / "keys",
        "catalogues": ["toy"],
        "catalogue_folder": folder,
        "accounts": {"toy": "own"},
        "account_store": "files",
        "account_folder": folder / "accounts",
        **more,
    }
    return Settings(**given)


def principal(user: str) -> Principal:
    return Principal(f"k{user}aaaaaaaaaa", user, "key")


def account(user: str) -> Credentials:
    return Credentials(username=user, password=SecretStr(f"canary-of-{user}"))


def token_of(catalogue: OwnAccounts, place: Place) -> str:
    return catalogue.authorize(f"{place.server.url}/odata/v1/x")["Authorization"]
