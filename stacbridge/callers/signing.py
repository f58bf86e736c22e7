"""Signed hrefs: the URL of one file, good for one caller until a time, for tools that send no headers.

    …/assets/{catalogue}/{collection}/{item}/{asset}/{file}?t=1.{key}.{ends}.{principal}.{mac}

`ends` is Unix time in hexadecimal digits, `mac` base64url(HMAC-SHA256[:16]) over the four words before it and
the five parts of the path. Other parameters are not covered: QGIS adds `height` and `width`.
"""

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from stacbridge.callers.principal import Principal
from stacbridge.errors import BadRequest, SignatureExpired, SignatureInvalid

PARAMETER = "t"
VERSION = "1"
PATH = "/assets/"
PARTS = 5
MAC_BYTES = 16
STEPS = 8
"""Ends are rounded up to an eighth of a life, so that for a while the same file has the same href, and caches
of clients hit."""


class Signed(NamedTuple):
    """An href and when it ends, RFC 3339 in UTC."""

    href: str
    expires: str


class Signing:
    """Signs paths with the first of `keys`, and knows again what any of them has signed.

    `life` and `tolerance` are seconds; an href is good for at least its life, and an eighth of it more.
    """

    def __init__(
        self, keys: Sequence[bytes], life: int, tolerance: float, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._keys = {hashlib.sha256(b"id of " + key).hexdigest()[:8]: key for key in keys}
        self._newest = next(iter(self._keys))
        self._step = max(1, life // STEPS)
        self._life, self._tolerance, self._wall = life, tolerance, wall

    def sign(self, root: str, href: str, principal: Principal) -> Signed:
        """Return the href of an asset below `root`, signed. Raises `BadRequest` for any other URL."""
        path = href.partition("?")[0]
        parts = _parts(path.removeprefix(root).encode()) if path.startswith(f"{root}{PATH}") else ()
        if len(parts) != PARTS:
            raise BadRequest(
                "Only hrefs of this bridge's assets can be signed.",
                parameter="href",
                advice="Take the href of an item's asset as it is.",
            )
        ends = -(-(int(self._wall()) + self._life) // self._step) * self._step
        words = f"{VERSION}.{self._newest}.{ends:x}.{principal.id}"
        token = f"{words}.{_mac(self._keys[self._newest], words, parts)}"
        return Signed(f"{path}?{PARAMETER}={token}", _rfc3339(ends))

    def principal_id(self, path: bytes, token: str) -> str:
        """Return for whom the URL `path` (as in the request line, from `/assets/` on) was signed.

        Raises `SignatureInvalid` for what was not signed here or was changed, then `SignatureExpired`.
        """
        words, _, mac = token.rpartition(".")
        version, _, rest = words.partition(".")
        key, _, rest = rest.partition(".")
        ends, _, principal = rest.partition(".")
        known = self._keys.get(key) if version == VERSION and path.startswith(PATH.encode()) else None
        expected = "" if known is None else _mac(known, words, _parts(path))
        if not expected or not hmac.compare_digest(expected.encode(), mac.encode("utf-8", "replace")):
            raise SignatureInvalid(
                "The signature in this URL is not of this bridge, or not for this file.",
                advice="Search again, or POST the href to /sign.",
            )
        if self._wall() > int(ends, 16) + self._tolerance:
            raise SignatureExpired(
                f"The signature in this URL ended at {_rfc3339(int(ends, 16))}.",
                advice="Search again, or POST the href to /sign.",
            )
        return principal


def _parts(path: bytes) -> list[bytes]:
    """Return the parts of an asset's path without their escapes, which proxies and clients may rewrite."""
    parts = path.removeprefix(PATH.encode()).split(b"/")
    return [unquote_to_bytes(part) for part in parts] if b"%" in path else parts


def _mac(key: bytes, words: str, parts: Sequence[bytes]) -> str:
    """Return the code over words and parts; their lengths come first, so that nothing moves between them."""
    covered = [words.encode("utf-8", "replace"), *parts]
    lengths = " ".join(map(str, map(len, covered))).encode()
    digest = hmac.digest(key, b"\n".join([lengths, *covered]), "sha256")
    return urlsafe_b64encode(digest[:MAC_BYTES]).rstrip(b"=").decode()


@lru_cache(maxsize=64)
def _rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
