"""A search as a client asks it, page after page, and how what comes differs from what is expected."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from conformance.differential.archives import World
from conformance.differential.brute import Entry, expected, place
from conformance.differential.questions import Question
from conformance.differential.text import text

Json = dict[str, Any]
TIMEOUT = 300


class Refused(Exception):
    """The bridge says that too much would have to be read."""


class Different(Exception):
    """What comes is not what is expected."""


@dataclass(slots=True)
class Walk:
    """What pages of a search hold, how many there were, whether the last was met, and the number told."""

    features: list[Json] = field(default_factory=list)
    pages: int = 0
    whole: bool = False
    matched: int | None = None


class Client:
    """Asks one bridge."""

    def __init__(self, url: str) -> None:
        self._url, self._session = f"{url}/search", requests.Session()

    def walk(self, question: Question) -> Walk:
        """Follow a search to its end, or for as many pages as it is looked at."""
        walk = Walk()
        page = self._first(question)
        walk.matched = page.get("numberMatched")
        while True:
            walk.features += page["features"]
            walk.pages += 1
            following = next((link for link in page["links"] if link["rel"] == "next"), None)
            if page.get("federation:missing"):
                raise Different(f"catalogues are missing: {page['federation:missing']}")
            if following and not page["features"]:
                raise Different(f"page {walk.pages} is empty and has a next one")
            if len(page["features"]) > question.search["limit"]:
                raise Different(f"page {walk.pages} has more than its limit")
            walk.whole = following is None
            if following is None or walk.pages >= question.pages:
                return walk
            page = self._send(following)

    def _first(self, question: Question) -> Json:
        search = {**question.search, "strict": True}
        if question.method == "GET":
            return self._read(self._session.get(self._url, params=parameters(question), timeout=TIMEOUT))
        if "filter" in search and question.as_text:
            search |= {"filter": text(search["filter"]), "filter-lang": "cql2-text"}
        return self._read(self._session.post(self._url, json=search, timeout=TIMEOUT))

    def _send(self, link: Json) -> Json:
        if link.get("method") == "POST":
            return self._read(self._session.post(link["href"], json=link["body"], timeout=TIMEOUT))
        return self._read(self._session.get(link["href"], timeout=TIMEOUT))

    def _read(self, answer: requests.Response) -> Json:
        if answer.status_code == 400 and answer.json().get("code") == "SearchTooWide":
            raise Refused(answer.json()["description"])
        if answer.status_code != 200:
            raise Different(f"{answer.status_code} {answer.text[:400]}")
        page: Json = answer.json()
        return page


def parameters(question: Question) -> dict[str, str]:
    """Return a search as the parameters of a GET."""
    written: dict[str, str] = {"strict": "true"}
    for name, value in question.search.items():
        if name == "sortby":
            value = ",".join(("-" if key["direction"] == "desc" else "+") + key["field"] for key in value)
        elif name == "filter":
            written["filter-lang"] = "cql2-text" if question.as_text else "cql2-json"
            value = text(value) if question.as_text else json.dumps(value)
        elif name in ("collections", "ids", "q"):
            value = ",".join(value)
        elif name == "bbox":
            value = ",".join(map(json.dumps, value))
        elif name == "intersects" or isinstance(value, bool):
            value = json.dumps(value)
        written[name] = str(value)
    return written


def compare(world: World, client: Client, question: Question) -> Walk:
    """Ask, and compare with every Item looked at. Raises `Different`, `Refused`."""
    walk = client.walk(question)
    wanted = expected(question.search, world.entries(question.collections))
    _compare_items(walk, wanted)
    _compare_order(walk, wanted, question.search, world)
    if walk.matched is not None and walk.matched != len(wanted):
        raise Different(f"numberMatched is {walk.matched}, not {len(wanted)}")
    return walk


def _compare_items(walk: Walk, wanted: Sequence[Entry]) -> None:
    found = [(item["collection"], item["id"]) for item in walk.features]
    known = {entry.key for entry in wanted}
    if len(set(found)) < len(found):
        raise Different(f"{len(found) - len(set(found))} of {len(found)} items come twice")
    if more := set(found) - known:
        raise Different(f"{len(more)} of {len(found)} items do not match, such as {min(more)}")
    if walk.whole and (less := known - set(found)):
        raise Different(f"{len(less)} of {len(known)} items are lost, such as {min(less)}")


def _compare_order(walk: Walk, wanted: Sequence[Entry], search: Json, world: World) -> None:
    """Items in the same place may come in any order: it is places that are compared."""
    for number, (item, right) in enumerate(zip(walk.features, wanted, strict=False)):
        entry = world.entry(item)
        if place(entry, search) != place(right, search):
            raise Different(f"item {number} is {entry.key}, where {right.key} should be")
