"""What each further catalogue adds to a page of 100 items merged from all of them.

    python -m conformance.benchmark.merging [--rounds 200]

One to four catalogues hold 1,000 items each and answer at once with a page that is ready, so that what is
measured is the federation: asking them in threads, and the merge. CPU and elapsed time, medians.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter_ns, process_time_ns

from stacbridge.catalogue import Archive
from stacbridge.federation import Federation
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query
from stacbridge.settings import Settings

ROOT = "https://bridge.example"
ITEMS, LIMIT, MOST = 1000, 100, 4


class Shelf(MemoryCatalogue):
    """A catalogue whose pages of the default order are cut from a list that is in order."""

    archive: Archive | None = None

    def __init__(self, number: int) -> None:
        items = [_item(number, place) for place in range(ITEMS)]
        super().__init__(f"c{number}", [_collection(number)], items)
        self._ordered = items

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        """Return the page behind `position`."""
        start = int((query.position or {}).get("n", 0))
        items = self._ordered[start : start + query.limit]
        places: list[Json | None] = [{"n": start + count} for count in range(1, len(items) + 1)]
        return Found(items, places[-1], places=places)


def _collection(number: int) -> Json:
    return {"type": "Collection", "id": f"collection-{number}", "links": []}


def _item(number: int, place: int) -> Json:
    at = datetime(2025, 1, 1, tzinfo=UTC) - timedelta(seconds=place * 10 + number)
    return {
        "type": "Feature",
        "id": f"item-{number}-{place}",
        "collection": f"collection-{number}",
        "geometry": None,
        "properties": {"datetime": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"},
        "links": [],
        "assets": {},
    }


def milliseconds(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the medians of CPU time and elapsed time."""
    spent = []
    for _ in range(rounds):
        cpu, begun = process_time_ns(), perf_counter_ns()
        work()
        spent.append((process_time_ns() - cpu, perf_counter_ns() - begun))
    return median(one for one, _ in spent) / 1e6, median(other for _, other in spent) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what each further catalogue adds to a page.")
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    before = 0.0
    for count in range(1, MOST + 1):
        federation = Federation([Shelf(number) for number in range(count)], Settings())
        query = Query(limit=LIMIT)

        def ask(federation: Federation = federation, query: Query = query) -> None:
            assert len(federation.search(query, None, ROOT).items) == LIMIT

        ask()
        cpu, elapsed = milliseconds(ask, rounds)
        federation.close()
        added = f", {cpu - before:+.2f} ms of CPU for one more" if count > 1 else ""
        print(f"  {count} catalogues: {cpu:5.2f} ms of CPU, {elapsed:5.2f} ms for {LIMIT} items{added}")
        before = cpu


if __name__ == "__main__":
    main()
