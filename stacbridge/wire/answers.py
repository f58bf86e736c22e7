"""What an upstream's answer says: its JSON, or in one short line why it is not what was asked for."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

import orjson

from stacbridge.errors import UpstreamError
from stacbridge.model import Reply
from stacbridge.wire.hosts import without_query

MAX_TOLD = 300
"""Characters of an upstream's own words that an error repeats at most."""
MAX_DEPTH = 8
"""Nesting of an error document that is searched for words at most."""

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ufffd]+")
_SECRET = re.compile(r"eyJ[\w-]{4,}(?:\.[\w-]*)*|(?<=[Bb]earer )[^\s\"']{8,}")
_MESSAGE_MEMBERS = (
    "detail",
    "message",
    "ErrorMessage",
    "exceptions",
    "exceptionText",
    "error",
    "data",
    "value",
    "description",
)
_TOLD_BYTES = 16 * MAX_TOLD
"""Bytes of an XML document that are searched for words at most."""
_EXCEPTION_CODE = re.compile(r"<(?:\w+:)?Exception\b[^<>]*\bexceptionCode\s*=\s*[\"']([^\"'<>]*)")
_EXCEPTION_TEXT = re.compile(r"<(?:\w+:)?ExceptionText\b[^<>]*>([^<]*)")


def sanitise(text: str) -> str:
    """Return `text` as one short line, without control characters and what looks like a token."""
    line = " ".join(_UNPRINTABLE.sub(" ", _SECRET.sub("***", text)).split())
    return line if len(line) <= MAX_TOLD else f"{line[: MAX_TOLD - 1]}…"


def told(reply: Reply) -> str:
    """Return what a reply says of itself: its status and its message, in whatever shape that came."""
    return f"HTTP {reply.status}: {sanitise(_words(reply))}"


def is_for_others(reply: Reply) -> bool:
    """Tell a token that is good, and meant for another service (CDSE: DAT-ZIP-609)."""
    return reply.status == 401 and b"audience" in reply.body.lower()


def read_json(reply: Reply, upstream: str) -> Any:
    """Return the JSON document of a reply; `UpstreamError` for HTML, a cut body or any other text."""
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError as error:
        where = "" if _is_html(reply) else f", no JSON at character {error.pos}"
        raise UpstreamError(
            f"{upstream} answered something that is not JSON.",
            upstream=upstream,
            asked=sanitise(without_query(reply.url)),
            answered=f"HTTP {reply.status}: {_kind(reply)}{where}",
            advice="Try again later; if it stays so, the upstream has changed or something sits between.",
        ) from None


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the seconds that `Retry-After` asks for, in either of its forms; `None` where it has none.

    A date is measured against the answer's own `Date`, so that neither side's clock matters.
    """
    stated = headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdigit():
        return int(stated[:9])
    try:
        wait = parsedate_to_datetime(stated) - parsedate_to_datetime(headers["date"])
    except (KeyError, TypeError, ValueError):
        return None
    return max(0, round(wait.total_seconds()))


def _is_html(reply: Reply) -> bool:
    start = reply.body[:512].lstrip().lower()
    return "html" in reply.headers.get("content-type", "") or start.startswith((b"<!doctype html", b"<html"))


def _kind(reply: Reply) -> str:
    if not reply.body:
        return "an empty body"
    return "an HTML page" if _is_html(reply) else reply.headers.get("content-type", "bytes of no stated type")


def _words(reply: Reply) -> str:
    if not reply.body or _is_html(reply):
        return _kind(reply)
    try:
        return _message(orjson.loads(reply.body), MAX_DEPTH)
    except orjson.JSONDecodeError:
        report = _report(reply.body[:_TOLD_BYTES].decode("utf-8", "replace"))
        return report or reply.body[: 4 * MAX_TOLD].decode("utf-8", "replace")


def _report(text: str) -> str:
    """Find the words in an OWS exception report (OGC 06-121r9, section 8); none in a text with a DOCTYPE."""
    if "<!DOCTYPE" in text:
        return ""
    found = [*_EXCEPTION_CODE.findall(text)[:1], *_EXCEPTION_TEXT.findall(text)]
    return unescape(" ".join(words for words in map(str.strip, found) if words))


def _message(answer: Any, depth: int) -> str:
    """Find the words in an error document: the shapes of CDSE's services, of OGC 17-047r1, and their kin."""
    match answer:
        case {"code": str(code), "message": str(message)}:
            return f"{code} {message}"
        case {"error": str(error), "error_description": str(description)}:
            return f"{error}: {description}"
        case {"exceptionCode": str(code), "exceptionText": str(text)}:
            return f"{code} {text}"
        case {"msg": str(message), "loc": [*place]}:
            return f"{'.'.join(map(str, place))}: {message}"
        case [first, *_] if depth:
            return _message(first, depth - 1)
        case dict() if depth:
            member = next((name for name in _MESSAGE_MEMBERS if answer.get(name)), None)
            return _message(answer[member], depth - 1) if member else ", ".join(map(str, answer))
    return str(answer)
