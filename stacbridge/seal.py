"""Sealed words: JSON in a URL that nobody but this server, or one that shares its secret, can make up."""

import binascii
import hmac
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import orjson

MAC_BYTES = 16
PACKED = b"x"


class Broken(Exception):
    """Words that this seal did not make; says why."""


class Seal:
    """Writes and reads base64url(HMAC-SHA256[:16] + JSON). What is sealed can be read by everybody.

    JSON that zlib makes shorter is packed by it; no JSON begins with the `x` that its streams begin with.

    What was sealed for one `purpose` is no good for another.
    """

    def __init__(self, purpose: str, secret: str | None = None) -> None:
        """Without a `secret` a random key is used, and what it sealed ends with the process."""
        key = secret.encode() if secret else secrets.token_bytes(32)
        self._key = hmac.digest(key, purpose.encode(), "sha256")

    def write(self, document: Any) -> str:
        """Return a JSON-able document, sealed."""
        text = orjson.dumps(document)
        payload = min(text, zlib.compress(text), key=len)
        return urlsafe_b64encode(self._sign(payload) + payload).rstrip(b"=").decode()

    def read(self, token: str) -> Any:
        """Return the document. Raises `Broken` where it was changed, or made with another secret."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (binascii.Error, UnicodeEncodeError):
            raise Broken("it is not base64url") from None
        mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not hmac.compare_digest(mac, self._sign(payload)):
            raise Broken("it was changed, or this server did not make it")
        return orjson.loads(zlib.decompress(payload) if payload[:1] == PACKED else payload)

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")[:MAC_BYTES]
