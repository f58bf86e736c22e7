"""Headers that tell a client whose fault and whose time it was, and what it may ask for."""

import re
from collections.abc import Mapping

from starlette.requests import Request

from stacbridge.errors import (
    Misconfigured,
    StacbridgeError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.roll import Told
from stacbridge.settings import Settings

PROXY = "stacbridge"
ERRORS: tuple[tuple[type[StacbridgeError], str], ...] = (
    (UpstreamTimeout, "connection_timeout"),
    (UpstreamUnavailable, "destination_unavailable"),
    (UpstreamRefused, "proxy_configuration_error"),
    (Misconfigured, "proxy_configuration_error"),
    (StacbridgeError, "http_protocol_error"),
)
"""Failures as error types of RFC 9209, section 2.3; the first that fits. A timeout before the first byte and
one after it are the same here: nothing of the answer could be used."""

STRICT = {"Preference-Applied": "handling=strict"}

_HANDLING = re.compile(r'(?:^|,)\s*handling\s*=\s*"?strict"?\s*(?=[,;]|$)', re.I)
_NOT_IN_TOKENS = re.compile(r"[^\w.-]", re.ASCII)


def proxy_status(failures: Mapping[str, StacbridgeError]) -> dict[str, str]:
    """Return `Proxy-Status` (RFC 9209) for the failures of catalogues, by their ids; nothing for none."""
    told = [f"{PROXY}; error={_error(each)}; next-hop={_quoted(id)}" for id, each in failures.items()]
    return {"Proxy-Status": ", ".join(told)} if told else {}


def server_timing(seconds: Mapping[str, float]) -> dict[str, str]:
    """Return `Server-Timing` (W3C) for the times of what has a name; milliseconds there."""
    told = (f"{_NOT_IN_TOKENS.sub('-', name)};dur={each * 1000:.1f}" for name, each in seconds.items())
    return {"Server-Timing": ", ".join(told)}


def freshness(told: Told, settings: Settings) -> dict[str, str]:
    """Return `Age` and `Cache-Control` (RFC 9111) for Collections, remembered `collection_seconds` each.

    Those of an upstream that cannot be asked anew are older than they may be. Where some are missing, they
    may come any time.
    """
    if told.silent:
        return {"Cache-Control": "no-store"}
    whose = "private, " if settings.access != "open" else ""
    aged = {} if told.age is None else {"Age": str(int(told.age))}
    return {"Cache-Control": f"{whose}max-age={int(settings.collection_seconds)}"} | aged


def prefers_strict(request: Request) -> bool:
    """Tell whether the client says `Prefer: handling=strict` (RFC 7240)."""
    return any(_HANDLING.search(value) for value in request.headers.getlist("prefer"))


def _error(failure: StacbridgeError) -> str:
    return next(name for kind, name in ERRORS if isinstance(failure, kind))


def _quoted(text: str) -> str:
    """Return a string of structured fields (RFC 8941): printable ASCII, with escapes."""
    plain = "".join(each if " " <= each <= "~" else "?" for each in text)
    return '"{}"'.format(plain.replace("\\", "\\\\").replace('"', '\\"'))
