"""Paging cursors: opaque, signed, good on every process that shares the secret."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256

import orjson

from stacbridge.errors import BadRequest
from stacbridge.model import Json, Query
from stacbridge.seal import Broken, Seal

Positions = dict[str, Json | None]
"""Where catalogues go on, by id: `None` has ended, one that is not there is at its start."""

VERSION = 2
DIGEST_BYTES = 12


class Cursors:
    """Writes and reads cursors: where the next page of one search starts in each catalogue.

    A cursor is a sealed [version, digest of the search, positions]. It grants nothing: the seal only keeps
    a position from being made up and sent to an upstream.
    """

    def __init__(self, secret: str | None = None) -> None:
        """Without a `secret` a random key is used, and cursors end with the process."""
        self._seal = Seal("cursor", secret)

    def write(self, query: Query, positions: Positions) -> str:
        """Return the cursor of the page of `query` that starts at `positions`."""
        return self._seal.write([VERSION, _digest(query), positions])

    def read(self, token: str, query: Query) -> Positions:
        """Return the positions.

        Raises `BadRequest` naming `token` where it was changed, made with another secret, or is of another
        search.
        """
        try:
            version, *rest = self._seal.read(token)
        except Broken as broken:
            raise _refused(str(broken)) from None
        if version != VERSION:
            raise _refused("another version of this server made it")
        digest, positions = rest
        if digest != _digest(query):
            raise _refused("it belongs to another search")
        found: Positions = positions
        return found


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
