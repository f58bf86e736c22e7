"""From trouble on the wire to a failure that says who, what was asked, what came back, what to do."""

from collections.abc import Iterable
from urllib.parse import quote

from stacbridge.errors import (
    UpstreamError,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.model import Reply, Request
from stacbridge.wire.answers import retry_after, sanitise, told
from stacbridge.wire.hosts import without_query

READABLE = "$/:(),'"
"""Characters that RFC 3986 allows in a query, and that keep an OData filter readable there."""

ADVICE = {
    400: "Simplify the search; if it stays so, the bridge asks wrongly: please report it.",
    401: "Check the account in the settings.",
    403: "Check that the account may have this, and that its holder agreed to the terms of the data.",
    422: "Simplify the search; if it stays so, the bridge asks wrongly: please report it.",
    429: "Try again later, and with fewer requests at once.",
}
"""What to do about a status; for others, waiting is all there is."""


def full_url(url: str, params: Iterable[tuple[str, str]]) -> str:
    """Return `url` with these parameters, each name and value escaped once."""
    pairs = ((quote(name, safe=READABLE), quote(value, safe=READABLE)) for name, value in params)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    separator = "&" if "?" in url else "?"
    return f"{url}{separator}{query}" if query else url


def asked(request: Request) -> str:
    """Return what was asked as a person would read it, without what may hold a secret."""
    query = "&".join(f"{name}={value}" for name, value in request.params)
    return sanitise(f"{request.method} {without_query(request.url)}{'?' if query else ''}{query}")


def refusal(upstream: str, request: Request, reply: Reply) -> UpstreamError:
    """Return the failure that an unwelcome status means.

    The answer to a request with a body is told by its status alone, since it may echo a login.
    """
    failure: UpstreamError
    match reply.status:
        case 504:
            failure = late(upstream, request)
        case 429 | 502 | 503:
            failure = UpstreamUnavailable(f"{upstream} refuses for now.")
        case 401:
            failure = UpstreamRefused(f"{upstream} wants a valid credential for this.")
        case 400 | 404 | 413 | 414 | 422:
            failure = UpstreamRejected(f"{upstream} did not answer what was asked.")
        case _:
            failure = UpstreamError(f"{upstream} did not answer what was asked.")
    failure.upstream = upstream
    failure.asked = asked(request)
    failure.answered = told(reply) if request.body is None else f"HTTP {reply.status}"
    failure.retry_after = retry_after(reply.headers)
    failure.advice = failure.advice or ADVICE.get(reply.status, "Try again later.")
    return failure


def late(upstream: str, request: Request) -> UpstreamTimeout:
    """Return the failure of an answer that did not come, or did not end, in time."""
    return UpstreamTimeout(
        f"{upstream} did not answer in time.",
        upstream=upstream,
        asked=asked(request),
        advice="Narrow the search in time or area, or raise the setting read_timeout.",
    )


def lost(upstream: str, request: Request, error: BaseException) -> UpstreamUnavailable:
    """Return the failure of a connection that was not made, or broke."""
    return UpstreamUnavailable(
        f"{upstream} cannot be reached, or the connection to it was lost.",
        upstream=upstream,
        asked=asked(request),
        answered=sanitise(str(_root(error))),
        advice="Try again later; if it stays so, check the network and the catalogue's endpoints.",
    )


def too_long(upstream: str, request: Request, limit: int) -> UpstreamError:
    """Return the failure of an answer of more than `limit` bytes."""
    return UpstreamError(
        f"{upstream} answered more than {limit} bytes.",
        upstream=upstream,
        asked=asked(request),
        advice="Ask for less at once, or raise the setting max_reply_bytes.",
    )


def astray(upstream: str, request: Request, status: int, target: str) -> UpstreamError:
    """Return the failure of a redirect that may not be followed."""
    return UpstreamError(
        f"{upstream} redirects to a server that this request may not go to.",
        upstream=upstream,
        asked=asked(request),
        answered=f"HTTP {status} to {sanitise(without_query(target))}",
        advice=f"If that server belongs to {upstream}, list it in the catalogue's hosts.",
    )


def circling(upstream: str, request: Request, limit: int) -> UpstreamError:
    """Return the failure of more than `limit` redirects in a row."""
    return UpstreamError(
        f"{upstream} redirects without end.",
        upstream=upstream,
        asked=asked(request),
        answered=f"more than {limit} redirects",
        advice="If so many are right, raise the setting max_redirects.",
    )


def _root(error: BaseException) -> BaseException:
    """Return the first cause of an exception: the system's own word, without a client's retelling."""
    while error.__context__ is not None:
        error = error.__context__
    return error
