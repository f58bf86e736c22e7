"""What an upstream's answer that is not the file becomes: its status and words, as one failure of ours."""

from collections.abc import Mapping

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
from stacbridge.model import Reply
from stacbridge.wire.answers import is_for_others, retry_after, told

EXCERPT_BYTES = 4096
"""Bytes of an error body that are read at most."""
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

_AUDIENCE = (
    "The account's token is for another service: that of a Sentinel Hub client cannot download. Set user name"
    " and password of the account itself."
)


def refusal(reply: Reply, *, upstream: str, asked: str) -> StacbridgeError:
    """Return the failure that `reply` stands for, of whose body the beginning is enough."""
    kind, description = _KINDS.get(reply.status, _OTHER)
    return kind(
        description,
        upstream=upstream,
        asked=asked,
        answered=told(reply),
        advice=_AUDIENCE if is_for_others(reply) else _ADVICE.get(reply.status),
        retry_after=_wait(reply.headers) if reply.status in _TRANSIENT else None,
    )


def failed(kind: type[UpstreamError], what: str, upstream: str, asked: str) -> UpstreamError:
    """Return the failure of an upstream that gave no answer, or no end of one."""
    retry_after = ASK_AGAIN if kind is UpstreamUnavailable else None
    return kind(f"The upstream {what}.", upstream=upstream, asked=asked, retry_after=retry_after)


def _wait(headers: Mapping[str, str]) -> int:
    """Return the seconds that an upstream wants a client to wait, if they are sane, else our own."""
    return min(retry_after(headers) or ASK_AGAIN, LONGEST_WAIT)
