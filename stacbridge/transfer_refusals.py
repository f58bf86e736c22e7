"""What an upstream's refusal of a download becomes: its status and its words, as one of our failures."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from stacbridge.errors import (
    Forbidden,
    NotFound,
    NotStaged,
    StacbridgeError,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)

EXCERPT_BYTES = 4096
"""Bytes of an error body that are read at most."""
EXCERPT_LENGTH = 300
"""Characters of it that are shown at most."""
ASK_AGAIN = 30
"""Seconds of Retry-After where the upstream states none that can be read."""
LONGEST_WAIT = 900
"""Seconds of Retry-After at most, whatever the upstream states: clients sleep them word for word."""

_KINDS: Mapping[int, tuple[type[StacbridgeError], str]] = {
    202: (NotStaged, "The upstream is still preparing the file."),
    401: (UpstreamRefused, "The upstream does not accept the credentials that it gave itself."),
    403: (Forbidden, "The upstream does not let this account have the file."),
    404: (NotFound, "The upstream no longer has the file."),
    410: (NotFound, "The upstream no longer has the file."),
    408: (UpstreamTimeout, "The upstream gave up on the request."),
    429: (UpstreamUnavailable, "The upstream allows this account no further download for now."),
    503: (UpstreamUnavailable, "The upstream is not available for now."),
    504: (UpstreamTimeout, "The upstream did not get an answer in time itself."),
}
_OTHER = (UpstreamError, "The upstream answered something that is not the file.")
_TRANSIENT = frozenset({202, 429, 503})
_ADVICE = {
    401: "Check the catalogue's account in the settings; `stacbridge check` tells what is wrong with it.",
    403: "Check what the account may download at the upstream.",
}


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, upstream: str, asked: str, secrets: Iterable[str]
) -> StacbridgeError:
    """Return the failure that an answer stands for which is not the file.

    `body` is the beginning of what came; `secrets` are left out of what is repeated of it.
    """
    kind, description = _KINDS.get(status, _OTHER)
    words = excerpt(body, headers.get("Content-Type", ""), secrets)
    return kind(
        description,
        upstream=upstream,
        asked=asked,
        answered=f"{status} {words}".strip(),
        advice=_ADVICE.get(status),
        retry_after=retry_after(headers.get("Retry-After")) if status in _TRANSIENT else None,
    )


def retry_after(value: str | None) -> int:
    """Read a Retry-After header (seconds or an HTTP date) as a sane number of seconds."""
    try:
        seconds = int(value or "") if (value or "").strip().lstrip("-").isdigit() else _until(value or "")
    except ValueError:
        return ASK_AGAIN
    return min(seconds, LONGEST_WAIT) if seconds > 0 else ASK_AGAIN


def _until(date: str) -> int:
    moment = parsedate_to_datetime(date)
    return int((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def excerpt(body: bytes, media_type: str, secrets: Iterable[str]) -> str:
    """Return what an error body says, in one line of printable text without `secrets`."""
    if "html" in media_type.lower() or body.lstrip()[:1] == b"<":
        return "with a page of markup"
    text = _message(body) or body.decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret, "***")
    line = "".join(char if char.isprintable() else " " for char in text)
    return re.sub(r" +", " ", line).strip()[:EXCERPT_LENGTH]


def _message(body: bytes) -> str | None:
    """Return the sentence in an error object, such as `{"detail": {"message": …}}` or `{"message": …}`."""
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    for name in ("detail", "error", "message", "description", "error_description"):
        inner = told.get(name) if isinstance(told, dict) else None
        if isinstance(inner, dict):
            return _message(orjson.dumps(inner))
        if isinstance(inner, str):
            code = told.get("code")
            return f"{code}: {inner}" if isinstance(code, str) else inner
    return None
