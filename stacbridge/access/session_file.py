"""An account's session in an encrypted file, shared by the processes of one machine and kept over restarts.

    accounts/sessions/cdse-0a1b2c3d.session     Fernet token of the session as JSON, mode 0600
    accounts/sessions/cdse-0a1b2c3d.lock        locked by the process that logs in (flock)
    accounts/sessions/cdse-0a1b2c3d.users       locked, shared, by every process that uses the session

The key is that of kept accounts. Times in it are of the machine's monotonic clock, which all its processes
share and which starts anew with the machine: of a session from before, the refresh token alone is used.
Reasons: docs/decisions/0013-sessions.md.
"""

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import inf, isfinite
from pathlib import Path

import orjson
from pydantic import SecretStr

from stacbridge.access.logins import Token
from stacbridge.access.sessions import Session
from stacbridge.errors import Misconfigured
from stacbridge.model import Json
from stacbridge.settings import SECRETS, Credentials, Settings
from stacbridge.vault import cipher, read_private, write_private

log = logging.getLogger(__name__)

BOOT = Path("/proc/sys/kernel/random/boot_id")
MOST_PROOFS = 32
"""Secrets that led to a session of which it remembers digests at most: the last ones."""


class SessionFile:
    """The session of one account. A file that cannot be read or written is said once in the log, and missed.

    `proofs` are digests of the account's secrets: a session that others led to is not used.
    """

    def __init__(self, folder: Path, key: Path, name: str, proofs: Iterable[str], boot: str) -> None:
        self._file = folder / f"{name}.session"
        self._key = key
        self._proofs = dict.fromkeys(proofs)
        self._boot = boot
        self._users: int | None = None
        self._told = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep all other processes from logging in as long as the block lasts."""
        descriptor = self._locked(".lock", fcntl.LOCK_EX)
        if self._users is None:
            self._users = self._locked(".users", fcntl.LOCK_SH)
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def read(self) -> Session | None:
        """Return the session as the last process left it, where the same account led to it."""
        if not self._file.exists():
            return None
        from cryptography.fernet import InvalidToken

        try:
            kept = orjson.loads(cipher(self._key).decrypt(read_private(self._file)))
        except (Misconfigured, InvalidToken, OSError, ValueError) as error:
            self._missed(error)
            return None
        if not self._proofs.keys() & set(kept["proofs"]):
            return None
        self._proofs |= dict.fromkeys(kept["proofs"])
        return _session(kept, same_boot=kept["boot"] == self._boot)

    def write(self, session: Session) -> None:
        """Tell the other processes, and those to come, of the session."""
        if session.token and session.token.refresh:
            self._proofs[digest(session.token.refresh)] = None
        members = {"boot": self._boot, "proofs": list(self._proofs)[-MOST_PROOFS:], **_members(session)}
        try:
            write_private(self._file, cipher(self._key).encrypt(orjson.dumps(members)))
        except (Misconfigured, OSError, ValueError) as error:
            self._missed(error)

    def leave(self) -> bool:
        """Use the session no longer; tell whether nobody else does."""
        if self._users is None:
            return False
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(self._users)
            self._users = None
        return True

    def _locked(self, suffix: str, how: int) -> int | None:
        """Return a descriptor that holds a lock until it is closed; None where there can be none."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._file.with_suffix(suffix), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, how)
        except OSError as error:
            self._missed(error)
            return None
        return descriptor

    def _missed(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            log.warning("The session in %s is not shared or kept: %s", self._file, error)


def session_file(
    scope: str, settings: Settings, account: Credentials, token_url: str, boot: str | None = None
) -> SessionFile:
    """Return the place of an account's session, under a name that tells catalogue and account apart.

    `boot` tells this run of the machine from others.
    """
    folder = settings.account_folder.expanduser()
    who = digest(f"{token_url} {account.client_id} {account.username}")[:8]
    secrets = (getattr(account, name) for name in SECRETS)
    proofs = [digest(secret.get_secret_value()) for secret in secrets if isinstance(secret, SecretStr)]
    key = settings.account_key or folder / "key"
    return SessionFile(folder / "sessions", key, f"{scope}-{who}", proofs, boot or _boot())


def digest(secret: str) -> str:
    """Return what tells a secret from others without being it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _boot() -> str:
    """Return what tells this run of the machine from others; where nothing does, no two are the same."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return os.urandom(16).hex()


def _members(session: Session) -> Json:
    """Return a session as JSON, in which what has no end is null."""
    token = session.token
    told = {"asked_at": session.asked_at, "refused_until": session.refused_until}
    told |= {} if token is None else {name: value for name, value in asdict(token).items()}
    finite = {
        name: None if isinstance(value, float) and not isfinite(value) else value
        for name, value in told.items()
    }
    return {**finite, "answered": session.answered}


def _session(kept: Json, *, same_boot: bool) -> Session:
    """Return the session that JSON tells of; of one from before the machine's start, the refresh token."""
    if "access" not in kept:
        token = None
    elif same_boot:
        lives = [inf if kept[name] is None else kept[name] for name in ("life", "refresh_life")]
        token = Token(kept["access"], lives[0], kept["refresh"], lives[1])
    else:
        token = Token("", 0, kept["refresh"], inf)
    if not same_boot:
        return Session(token, 0.0, answered=kept["answered"])
    asked_at, until = (-inf if kept[name] is None else kept[name] for name in ("asked_at", "refused_until"))
    return Session(token, asked_at, until, kept["answered"])
