"""API keys: a file for each, of which nobody can make the key again.

    keys/kq3x….json     {"id", "name", "salt", "hash", "created", "revoked"?}, mode 0600
    keys/o7fa….json     {"id", "revoked"}: a principal of the identity provider who is let in no more

A key is `<id>.<secret>`; the secret is 256 random bits, so one salted SHA-256 is as good as a slow hash. A
file is read whenever its key is used: what is revoked is revoked for the next request.
"""

import hmac
import re
import secrets
import time
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from stacbridge.callers.principal import Principal
from stacbridge.errors import Misconfigured
from stacbridge.vault import read_private, write_private

ID = re.compile(r"[ko][a-z2-7]{8,32}")
"""Ids of principals: `k…` of keys, `o…` of the identity provider."""
ID_BYTES, SECRET_BYTES, SALT_BYTES = 10, 32, 16


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key; times are RFC 3339 in UTC."""

    id: str
    name: str
    created: str
    revoked: str | None = None
    salt: str = field(default="", repr=False)
    hash: str = field(default="", repr=False)


class Keys:
    """The keys in a folder of their owner. Raises `Misconfigured` for files that others could have read."""

    def __init__(self, folder: Path, *, wall: Callable[[], float] = time.time) -> None:
        self._folder, self._wall = folder.expanduser(), wall

    def create(self, name: str) -> str:
        """Make a key for somebody and return it; it can never be shown again."""
        id = "k" + b32encode(secrets.token_bytes(ID_BYTES)).decode().lower()
        secret, salt = secrets.token_urlsafe(SECRET_BYTES), secrets.token_bytes(SALT_BYTES)
        kept = {"name": name, "created": self._now(), "salt": salt.hex(), "hash": _hash(salt, secret)}
        self._write(id, kept)
        return f"{id}.{secret}"

    def all(self) -> list[Key]:
        """Return all keys, and the principals who were revoked, oldest first."""
        found = [self._read(file.stem) for file in self._folder.glob("*.json") if ID.fullmatch(file.stem)]
        return sorted((key for key in found if key), key=lambda key: (key.created, key.id))

    def revoke(self, id: str) -> Key:
        """Let a principal in no more, by key, token or signed href; for ever. Raises `Misconfigured`."""
        if not ID.fullmatch(id):
            raise Misconfigured(f"{id!r} is not the id of a key.", advice="`stacbridge key list` shows ids.")
        key = self._read(id)
        if key is None and id.startswith("k"):
            raise Misconfigured(f"There is no key {id}.", advice="`stacbridge key list` shows ids.")
        key = key or Key(id, "", self._now())
        kept = {name: getattr(key, name) for name in ("name", "created", "salt", "hash")}
        self._write(id, {**kept, "revoked": key.revoked or self._now()})
        return key

    @staticmethod
    def claimed(text: str) -> str | None:
        """Return the id that a key has if it is one; `None` for what cannot be a key."""
        id = text.partition(".")[0]
        return id if ID.fullmatch(id) else None

    def holder(self, text: str) -> Principal | None:
        """Return whose key `text` is; `None` where it is no key, a wrong one or a revoked one."""
        id, _, secret = text.partition(".")
        key = self._read(id) if ID.fullmatch(id) else None
        if key is None or key.revoked or not key.hash:
            return None
        right = hmac.compare_digest(key.hash, _hash(bytes.fromhex(key.salt), secret))
        return Principal(id, key.name, "key") if right else None

    def may_enter(self, id: str, *, listed: bool) -> bool:
        """Tell whether a principal is still let in; `listed` ones only while there is a key of theirs."""
        if not ID.fullmatch(id) or id.startswith("k") != listed:
            return False
        key = self._read(id)
        return not listed if key is None else key.revoked is None

    def _read(self, id: str) -> Key | None:
        file = self._folder / f"{id}.json"
        try:
            kept: dict[str, Any] = orjson.loads(read_private(file))
            return Key(**kept)
        except FileNotFoundError:
            return None
        except (orjson.JSONDecodeError, TypeError):
            raise Misconfigured(f"{file} cannot be read as a key.", advice="Restore or delete it.") from None

    def _write(self, id: str, kept: dict[str, Any]) -> None:
        write_private(self._folder / f"{id}.json", orjson.dumps({"id": id, **kept}))

    def _now(self) -> str:
        return datetime.fromtimestamp(self._wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hash(salt: bytes, secret: str) -> str:
    return hmac.digest(salt, secret.encode(), "sha256").hex()
