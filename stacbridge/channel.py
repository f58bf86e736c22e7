"""The way to one catalogue: threads, a circuit breaker, and how long it usually takes."""

import logging
import time
from collections.abc import Callable, Set
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from threading import Lock

from stacbridge.breaker import Breaker
from stacbridge.callers.threads import Threads
from stacbridge.catalogue import Catalogue
from stacbridge.errors import UpstreamError, UpstreamRejected, UpstreamTimeout, UpstreamUnavailable
from stacbridge.model import Found, Json, Query
from stacbridge.patience import Asked, Usual
from stacbridge.settings import Settings

log = logging.getLogger(__name__)


class Channel:
    """Asks one catalogue, in threads that no other catalogue can use up.

    Items of collections that another catalogue has (`elsewhere` tells by the id) are left out. Nothing here
    waits longer than it says. A question that nobody waits for any more goes on, and its answer is in the
    catalogue's own memory when it is asked again.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        settings: Settings,
        *,
        elsewhere: Callable[[str], bool] = lambda collection: False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.catalogue = catalogue
        self._elsewhere = elsewhere
        self._clock, self._wall = clock, wall
        self._threads = Threads(settings.search_threads, f"catalogue-{catalogue.id}")
        self._breaker = Breaker(
            settings.breaker_failures, settings.breaker_seconds, settings.catalogue_deadline, clock=clock
        )
        self._usual = Usual()
        self._last: Json = {}
        self._patience = settings.connect_timeout
        self._lock = Lock()
        self._listed = clock()
        self._listing = self._threads.submit(catalogue.collections)
        self._collections: list[Json] | None = None

    def ask(self, query: Query, root: str, *, ready: bool = False) -> Asked:
        """Ask for a page of a search. Its answer is a `Found`, or the failure that the catalogue raised.

        While the breaker is open it fails at once with `UpstreamUnavailable`.
        """
        asked = Asked(self._usual.seconds())
        number = self._breaker.admit()
        if number is None:
            asked.answer.set_exception(self._resting())
        else:
            asked.answer = self._threads.submit(self._search, asked, number, query, root, ready)
        return asked

    def refresh(self) -> None:
        """Ask for the collections anew, unless that is under way."""
        with self._lock:
            if self._listing.done():
                self._listed, self._listing = self._clock(), self._threads.submit(self.catalogue.collections)

    def collections(self) -> list[Json]:
        """Return the Collections, waiting `connect_timeout` seconds from when they were asked for.

        Those told before where the catalogue is late or fails; without any, raises `UpstreamError`.
        """
        with self._lock:
            listing, left = self._listing, self._listed + self._patience - self._clock()
        try:
            self._collections = listing.result(max(0, left))
        except TimeoutError:
            if self._collections is None:
                raise self.late() from None
        except UpstreamError:
            if self._collections is None:
                raise
        return self._collections

    def late(self) -> UpstreamTimeout:
        """Return the failure of an answer that was not waited for any longer."""
        id = self.catalogue.id
        return UpstreamTimeout(
            f"{id} has not answered yet.",
            upstream=id,
            retry_after=ceil(self._usual.seconds() or 1),
            advice="Ask again: its answer is kept for a while once it is there.",
        )

    def standing(self) -> Json:
        """Return how the catalogue is, by what was asked of it so far; `last` is its last answer, or none."""
        return {
            "breaker": {"state": self._breaker.state(), "retry_after": ceil(self._breaker.wait())},
            "last": self._last,
            "usual_seconds": self._usual.seconds(),
        }

    def close(self) -> None:
        """Let the threads end; questions that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _resting(self) -> UpstreamUnavailable:
        id, seconds = self.catalogue.id, ceil(self._breaker.wait())
        return UpstreamUnavailable(
            f"{id} has failed several times in a row, and is not asked for now.",
            upstream=id,
            retry_after=max(1, seconds),
            advice="Try again later.",
        )

    def _noted(self, seconds: float, failure: UpstreamError | None) -> None:
        """Keep in mind how the last search ended."""
        at = datetime.fromtimestamp(self._wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        why = {} if failure is None else {"failure": failure.code, "reason": str(failure)}
        self._last = {"at": at, "seconds": round(seconds, 3), **why}

    def _own(self, found: Found) -> Found:
        foreign = {id for id in {item["collection"] for item in found.items} if self._elsewhere(id)}
        return _without(foreign, found) if foreign else found

    def _search(self, asked: Asked, number: int, query: Query, root: str, ready: bool) -> Found:
        start = self._clock()
        try:
            found = self._own(self.catalogue.search(query, root, ready=ready))
        except UpstreamRejected:
            self._breaker.withdrawn(number)
            raise
        except UpstreamError as failure:
            self._breaker.failed(number)
            self._noted(self._clock() - start, failure)
            log.info("%s failed: %s", self.catalogue.id, failure)
            raise
        except BaseException:
            self._breaker.withdrawn(number)
            raise
        finally:
            asked.took = self._clock() - start
        self._noted(asked.took, None)
        self._breaker.passed(number)
        self._usual.note(asked.took)
        return found


def _without(collections: Set[str], found: Found) -> Found:
    """Return a page without the Items of some collections; how many match without them is not known."""
    kept = [number for number, item in enumerate(found.items) if item["collection"] not in collections]
    places = [found.places[number] for number in kept[:-1]] + [found.position] * bool(kept)
    return replace(found, items=[found.items[number] for number in kept], places=places, matched=None)
