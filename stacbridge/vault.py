"""Accounts that `stacbridge login` keeps for their holder: in the system's keyring, or in encrypted files.

    accounts/cdse.account       Fernet token of the account as JSON, mode 0600
    accounts/key                the key that encrypts them, mode 0600; `account_key` puts it elsewhere

Reasons: docs/decisions/0005-kept-accounts.md.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from pydantic import SecretStr, ValidationError

from stacbridge.errors import Misconfigured
from stacbridge.settings import Credentials, Settings

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

SERVICE = "stacbridge"
OTHERS = 0o077
"""Permission bits of everybody but the owner."""


class Vault(Protocol):
    """A place for accounts, by catalogue id. Raises `Misconfigured` where it cannot be read or written."""

    name: str
    """What a person calls it."""

    def read(self, catalogue: str) -> Credentials | None:
        """Return a kept account."""
        ...

    def write(self, catalogue: str, account: Credentials) -> None:
        """Keep an account, in place of an earlier one."""
        ...

    def forget(self, catalogue: str) -> None:
        """Keep an account no longer, if there is one."""
        ...


def open_vault(settings: Settings) -> Vault:
    """Return the place that the settings choose: the keyring where there is one, else files."""
    if settings.account_store != "files":
        ring = _keyring()
        if ring is not None:
            return Keyring(ring)
        if settings.account_store == "keyring":
            raise Misconfigured(
                "account_store is keyring, and there is none.",
                advice="Install the package keyring (`pip install stacbridge[keyring]`), or choose files.",
            )
    folder = settings.account_folder.expanduser()
    return EncryptedFiles(folder, settings.account_key or folder / "key")


def renew(vault: Vault, catalogue: str, refresh_token: str) -> None:
    """Keep the refresh token that an upstream gave in place of the kept one."""
    account = vault.read(catalogue)
    if account is not None:
        vault.write(catalogue, account.model_copy(update={"refresh_token": SecretStr(refresh_token)}))


class Keyring:
    """The keyring of the system, by way of the package `keyring`."""

    name = "the system's keyring"

    def __init__(self, ring: Any) -> None:
        self._ring = ring

    def read(self, catalogue: str) -> Credentials | None:
        """Return a kept account."""
        with self._opened():
            text = self._ring.get_password(SERVICE, catalogue)
        return None if text is None else _account(text.encode(), catalogue, self.name)

    def write(self, catalogue: str, account: Credentials) -> None:
        """Keep an account, in place of an earlier one."""
        with self._opened():
            self._ring.set_password(SERVICE, catalogue, _text(account).decode())

    def forget(self, catalogue: str) -> None:
        """Keep an account no longer, if there is one."""
        with self._opened():
            if self._ring.get_password(SERVICE, catalogue) is not None:
                self._ring.delete_password(SERVICE, catalogue)

    @contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            yield
        except self._ring.errors.KeyringError as error:
            raise Misconfigured(
                "The system's keyring cannot be used.",
                answered=type(error).__name__,
                advice="Unlock it, or set account_store to files and sign in again.",
            ) from None


class EncryptedFiles:
    """A file for each account in a folder of their owner, encrypted with the key in another."""

    def __init__(self, folder: Path, key: Path) -> None:
        self._folder, self._key = folder, key
        self.name = f"encrypted files in {folder}"

    def read(self, catalogue: str) -> Credentials | None:
        """Return a kept account."""
        file = self._file(catalogue)
        if not file.exists():
            return None
        from cryptography.fernet import InvalidToken

        try:
            text = cipher(self._key, make=False).decrypt(read_private(file))
        except (InvalidToken, ValueError, FileNotFoundError):
            raise Misconfigured(
                f"{self._key} is not the key of {file}.",
                advice=f"Bring the key back, or run `stacbridge login {catalogue}` again.",
            ) from None
        return _account(text, catalogue, str(file))

    def write(self, catalogue: str, account: Credentials) -> None:
        """Keep an account, in place of an earlier one."""
        write_private(self._file(catalogue), cipher(self._key).encrypt(_text(account)))

    def forget(self, catalogue: str) -> None:
        """Keep an account no longer, if there is one."""
        self._file(catalogue).unlink(missing_ok=True)

    def _file(self, catalogue: str) -> Path:
        return self._folder / f"{catalogue}.account"


def cipher(key: Path, *, make: bool = True) -> "Fernet":
    """Return what encrypts with the key in a file; with `make` there is one from then on.

    Raises `Misconfigured`, `FileNotFoundError` for a key that is missing, `ValueError` for what is no key.
    """
    # Imported where an account is kept, for it takes a tenth of a second.
    from cryptography.fernet import Fernet

    if make and not key.exists():
        _write_first(key, Fernet.generate_key())
    return Fernet(read_private(key))


def _keyring() -> Any | None:
    """Return the module `keyring` where it is installed and has a place to keep things."""
    if find_spec("keyring") is None:
        return None
    ring = import_module("keyring")
    usable: bool = getattr(ring.get_keyring(), "priority", 0) >= 1
    return ring if usable else None


def _text(account: Credentials) -> bytes:
    members = account.model_dump(exclude_none=True)
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in members.items()
    }
    return orjson.dumps(plain)


def _account(text: bytes, catalogue: str, place: str) -> Credentials:
    try:
        return Credentials.model_validate(orjson.loads(text))
    except (orjson.JSONDecodeError, ValidationError):
        raise Misconfigured(
            f"The account in {place} cannot be read.", advice=f"Run `stacbridge login {catalogue}` again."
        ) from None


def read_private(file: Path) -> bytes:
    """Return what is in a file that nobody but its owner may read."""
    if os.name == "posix" and file.stat().st_mode & OTHERS:
        raise Misconfigured(
            f"{file} may be read by others than its owner.", advice=f"Run `chmod 600 {file}`."
        )
    return file.read_bytes()


def write_private(file: Path, content: bytes) -> None:
    """Write a file of mode 0600 whole or not at all."""
    _written(file, content, os.replace)


def _write_first(file: Path, content: bytes) -> None:
    """Write a file of mode 0600 unless another process has written it meanwhile."""

    def link(temporary: str, name: Path) -> None:
        with suppress(FileExistsError):
            os.link(temporary, name)
        os.unlink(temporary)

    _written(file, content, link)


def _written(file: Path, content: bytes, put: Callable[[str, Path], None]) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
            try:
                temporary.write(content)
                temporary.flush()
                os.fsync(temporary.fileno())
                put(temporary.name, file)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary.name)
                raise
    except OSError as error:
        raise Misconfigured(f"{file} cannot be written: {error.strerror}.") from error
