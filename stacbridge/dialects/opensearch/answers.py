"""A page of an answer, whichever form it came in: features of OGC 17-047r1, how many there are, what follows.

Read are OGC 17-047r1 (its links an object of arrays), resto (its links an array, its totals among the
properties) and Atom; see `atom`.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from stacbridge.dialects.opensearch import atom
from stacbridge.errors import UpstreamError
from stacbridge.model import Json, Reply
from stacbridge.scalars import integer
from stacbridge.wire import xml
from stacbridge.wire.answers import read_json, sanitise

PAGING = ("first", "previous", "prev", "next", "last")


@dataclass(frozen=True, slots=True)
class Answer:
    """Features, the number of all matches where it is told, and the link to the next page.

    `linked` tells that the service links its pages, so that none follows where it does not say so.
    """

    features: list[Json]
    total: int | None
    following: str | None
    linked: bool

    @property
    def mark(self) -> str | None:
        """What tells a page from another: with a new record before it, the total has changed, too."""
        if not self.features:
            return None
        return format(zlib.crc32(f"{self.features[0].get('id')} {self.total}".encode()), "x")


def read(reply: Reply, upstream: str, *, axes: str = "lat lon") -> Answer:
    """Return the page in a reply; `axes` is the order of coordinates in Atom.

    Raises `UpstreamError` where the reply is no page: an error document, HTML, a text cut short.
    """
    if reply.body.lstrip()[:1] == b"<":
        document = atom.collection(_feed(reply, upstream), axes)
    else:
        document = read_json(reply, upstream)
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise _refused(document, reply, upstream)
    properties = document.get("properties")
    about = properties if isinstance(properties, dict) else {}
    totals = (document.get("totalResults"), about.get("totalResults"))
    linked = dict(links(about.get("links") or document.get("links")))
    return Answer(
        features=features,
        total=next((total for total in map(integer, totals) if total is not None and total >= 0), None),
        following=next((href for rel, href in linked.items() if rel == "next"), None),
        linked=not linked.keys().isdisjoint(PAGING),
    )


def links(given: Any) -> Iterator[tuple[str, str]]:
    """Iterate over relation and href of links, in either form."""
    for rel, link in entries(given):
        href = link.get("href")
        if isinstance(href, str) and href:
            yield rel, href


def entries(given: Any) -> Iterator[tuple[str, Json]]:
    """Iterate over links with their relation: from an object of arrays, or an array whose links name it."""
    if isinstance(given, list):
        for link in given:
            if isinstance(link, dict) and isinstance(link.get("rel"), str):
                yield link["rel"], link
    elif isinstance(given, dict):
        for rel, group in given.items():
            for link in group if isinstance(group, list) else [group]:
                if isinstance(link, dict):
                    yield rel, link


def _feed(reply: Reply, upstream: str) -> xml.Element:
    root = xml.parse(reply, upstream)
    if xml.name(root) == (atom.ATOM, "feed"):
        return root
    told = [xml.text(each) for each in root.iter() if xml.name(each)[1] in ("ExceptionText", "title")]
    failure = xml.failure(reply, upstream, "answered no list of products")
    if told:
        failure.answered = f"HTTP {reply.status}: {sanitise(' '.join(told))}"
    raise failure


def _refused(document: Any, reply: Reply, upstream: str) -> UpstreamError:
    """Make the failure of JSON that is no page, in the words of 17-047r1's `exceptions` where it has them."""
    failure = xml.failure(reply, upstream, "answered no list of products")
    told = document.get("exceptions") if isinstance(document, dict) else None
    if isinstance(told, list):
        words = [text for each in told if isinstance(each, dict) for text in _words(each)]
        failure.answered = f"HTTP {reply.status}: {sanitise('; '.join(words))}"
    elif document is not None:
        failure.answered = f"HTTP {reply.status}: {sanitise(orjson.dumps(document).decode())}"
    return failure


def _words(exception: Json) -> Iterator[str]:
    text = exception.get("exceptionText")
    if isinstance(text, str):
        locator = exception.get("locator")
        yield f"{locator}: {text}" if isinstance(locator, str) else text
