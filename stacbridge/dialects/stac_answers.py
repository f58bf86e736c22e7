"""What a STAC API answers to a search, page after page."""

from dataclasses import dataclass
from typing import Any

from stacbridge.dialects import stac_pages
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.stac_records import touches
from stacbridge.dialects.stac_search import Searching, sent
from stacbridge.errors import UpstreamError
from stacbridge.model import Json, Query

PAGES = 40
"""Pages of one window of time, or of one run of ids, at most."""
Whole = tuple[list[Json], bool, int | None]
"""Items of a search, whether they are all, and how many there are where that is told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Items of a page, how many it held, what asks for the next one, and the number of all matches."""

    records: list[Json]
    length: int
    following: Json | None
    matched: int | None


def lowest(*counts: int | None) -> int | None:
    """Return the least of the numbers of matches that were told, which holds whatever came meanwhile."""
    return min((count for count in counts if count is not None), default=None)


class Answers:
    """The answers of an API to searches with one filter; items that do not touch `area` are left out."""

    def __init__(self, upstream: str, searching: Searching, filter: Json | None, area: Any) -> None:
        self._id, self._searching, self._filter, self._area = upstream, searching, filter, area

    def page(self, query: Query, following: Json | None = None) -> Conversation[Answer]:
        """Return the first page, or that which `following` asks for. Raises `BadRequest`, `UpstreamError`."""
        request = self._searching.request(query, self._filter, following)
        document, records = stac_pages.entries((yield request), self._id, "features")
        fitting = records
        if self._area is not None:
            fitting = [record for record in records if touches(record, self._area)]
        return Answer(
            fitting,
            len(records),
            stac_pages.following(document, sent(request), self._id),
            stac_pages.matched(document),
        )

    def whole(self, query: Query, most: int | None) -> Conversation[Whole]:
        """Return all items of a search. Raises `BadRequest`, `UpstreamError`.

        They are not all where there are more than `most`, or more pages than `PAGES`.
        """
        found: list[Json] = []
        given, least = 0, None
        following: Json | None = None
        for _ in range(PAGES):
            answer = yield from self.page(query, following)
            found += answer.records
            given, following = given + answer.length, answer.following
            least = lowest(least, answer.matched)
            if following is None:
                self.see_end(given, least)
                return found, True, least
            if most is not None and max(given, least or 0) > most:
                break
        return found, False, least

    def see_end(self, given: int, least: int | None) -> None:
        """Raise `UpstreamError` where a search ended with fewer items than there are."""
        if least is not None and given < least:
            raise UpstreamError(
                f"{self._id} ended its answer after {given} of {least} items.",
                upstream=self._id,
                advice="Search again; if it stays so, narrow the search by collection, time or area.",
            )
