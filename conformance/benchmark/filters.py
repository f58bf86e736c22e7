"""What a filter costs for each item, pushed to the upstream or checked here, over a search without one.

    python -m conformance.benchmark.filters [--rounds 60]

Pages of 100 made-up Sentinel-2 products go through dialect, translation and sieve, without sockets. Every
product matches, so that no filter saves work: what differs is the filter. CPU time, medians.
"""

import argparse
import random
from functools import partial
from time import monotonic

import orjson

from conformance.benchmark.translate import PRODUCTS, ROOT, microseconds, sentinel_2
from stacbridge.access.flows import drive
from stacbridge.cql.matching import condition
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Found, Json, Page, Query, Reply
from stacbridge.settings import Settings
from stacbridge.sieve import Bounds, fill

COLLECTION = "sentinel-2-l2a"
CLOUDS, ORBIT = {"property": "eo:cloud_cover"}, {"property": "sat:relative_orbit"}
AREA = {"type": "Polygon", "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]}
FILTERS: dict[str, Json | None] = {
    "no filter": None,
    "pushed: a comparison": {"op": "<=", "args": [CLOUDS, 100]},
    "pushed: ten comparisons": {
        "op": "and",
        "args": [{"op": "<=", "args": [CLOUDS, 100 + n]} for n in range(10)],
    },
    "checked here: a LIKE": {"op": "like", "args": [{"property": "id"}, "S2%L2A_2025%_N05_1%"]},
    "checked here: arithmetic": {"op": "<=", "args": [{"op": "+", "args": [CLOUDS, 0]}, 100]},
    "checked here: two properties": {"op": "<=", "args": [ORBIT, {"property": "sat:absolute_orbit"}]},
    "checked here: S_WITHIN": {"op": "s_within", "args": [{"property": "geometry"}, AREA]},
}


def searched(mapping: Mapping, page: bytes, filter: Json | None) -> tuple[Found, tuple[str, ...]]:
    """Search a page as an upstream gives it; return what was found, and what had to be checked."""
    dialect = ODataSets(mapping)
    checked: list[str] = []

    def ask(query: Query) -> Page:
        given = drive(dialect.walk(query), lambda request: Reply(200, {}, page))
        checked.extend(given.checked)
        return given

    query = Query(collections=(COLLECTION,), filter=filter, limit=PRODUCTS)
    match = condition(filter) if filter else bool
    translate = partial(mapping.items, root=ROOT, ready=True)
    return fill(query, ask, translate, match, Bounds(1, 60, monotonic), mapping.id), tuple(checked)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what a filter costs for each item.")
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    mapping, generator = load("cdse", Settings()), random.Random(1)
    page = orjson.dumps({"value": [sentinel_2(generator) for _ in range(PRODUCTS)]})
    bare = 0.0
    for title, filter in FILTERS.items():
        found, checked = searched(mapping, page, filter)
        assert len(found.items) == PRODUCTS, f"{title}: {len(found.items)} items"
        assert bool(checked) == title.startswith("checked"), f"{title}: checked {checked}"
        spent = microseconds(partial(searched, mapping, page, filter), rounds)
        bare = bare or spent
        print(f"  {title:30} {spent:6.1f} us/item  {spent - bare:+6.1f} over no filter")


if __name__ == "__main__":
    main()
