"""Paging cursors: opaque, signed, good on every process that shares the secret."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256

import orjson

from stacbridge.errors import BadRequest
from stacbridge.model import Json, Query
from stacbridge.seal import Broken, Seal

VERSION = 1
DIGEST_BYTES = 12


class Cursors:
    """Writes and reads cursors: where the next page of one search starts.

    A cursor is a sealed [version, digest of the search, catalogue id, position]. It grants nothing: the seal
    only keeps a position from being made up and sent to an upstream.
    """

    def __init__(self, secret: str | None = None) -> None:
        """Without a `secret` a random key is used, and cursors end with the process."""
        self._seal = Seal("cursor", secret)

    def write(self, query: Query, catalogue: str, position: Json | None) -> str:
        """Return the cursor of the page of `query` that starts at `position` of `catalogue`."""
        return self._seal.write([VERSION, _digest(query), catalogue, position])

    def read(self, token: str, query: Query) -> tuple[str, Json | None]:
        """Return catalogue id and position.

        Raises `BadRequest` naming `token` where it was changed, made with another secret, or is of another
        search.
        """
        try:
            version, digest, catalogue, position = self._seal.read(token)
        except Broken as broken:
            raise _refused(str(broken)) from None
        if version != VERSION:
            raise _refused("another version of this server made it")
        if digest != _digest(query):
            raise _refused("it belongs to another search")
        return catalogue, position


def _digest(query: Query) -> str:
    """Return what tells one search from another; the size of its pages does not."""
    search = replace(query, limit=1, position=None, count=False)
    text = orjson.dumps(search, option=orjson.OPT_SORT_KEYS)
    return urlsafe_b64encode(sha256(text).digest()[:DIGEST_BYTES]).decode()


def _refused(reason: str) -> BadRequest:
    return BadRequest(
        f"The token cannot be used: {reason}.",
        parameter="token",
        advice="Follow the `next` links of one search as they are, or start it again without a token.",
    )
