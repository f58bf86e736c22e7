"""How large files are, where their items do not say."""

from pathlib import Path

import requests

from stacbridge.commands.pool import each
from stacbridge.commands.transfer import CONNECT_TIMEOUT, Transfer

# A size is worth a short wait only.
READ_TIMEOUT = 30


def sizes(session: requests.Session, transfers: list[Transfer], jobs: int) -> dict[Path, int]:
    """Return the size in bytes of each file, as its item states it, else as the server does (HEAD).

    A file whose size nobody states is left out.
    """
    known = {transfer.path: transfer.size for transfer in transfers if transfer.size is not None}
    silent = [transfer for transfer in transfers if transfer.size is None]
    for transfer, length in each(lambda transfer: _content_length(session, transfer.href), silent, jobs):
        if isinstance(length, Exception):
            raise length
        if length is not None:
            known[transfer.path] = length
    return known


def _content_length(session: requests.Session, href: str) -> int | None:
    timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
    try:
        reply = session.head(
            href, headers={"Accept-Encoding": "identity"}, allow_redirects=True, timeout=timeout
        )
    except requests.RequestException:
        return None
    length = reply.headers.get("Content-Length", "")
    return int(length) if reply.ok and length.isdecimal() else None
