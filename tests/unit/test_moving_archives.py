"""Products come and go while several catalogues are walked as one: none is lost, and none comes twice."""

from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge import scalars
from stacbridge.cql.matching import condition
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.mapping.mapping import Mapping
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query
from stacbridge.sieve import Bounds, fill
from tests.api.archive import collection
from tests.unit.odata_archive import Archive
from tests.unit.scripted import ROOT, item, served
from tests.unit.toy import NAME, grd, toy

START = datetime(2024, 1, 1, tzinfo=UTC)
ORBIT = {"property": "sat:absolute_orbit"}
NOT_THIRD: Json = {"op": "<>", "args": [{"op": "%", "args": [ORBIT, 3]}, 0]}
"""Two of three orbits, which OData cannot be asked for."""


class Filled(MemoryCatalogue):
    """Products of an archive, filled up to pages as those of an upstream are."""

    def __init__(self, mapping: Mapping, upstream: Archive) -> None:
        super().__init__(mapping.id, list(mapping.collections.values()), [])
        self._mapping, self._dialect, self._upstream = mapping, ODataSets(mapping), upstream

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        return fill(
            query,
            partial(self._upstream.page, self._dialect),
            partial(self._mapping.items, root=root),
            condition(query.filter) if query.filter else lambda item: True,
            Bounds(100, 1.0, lambda: 0.0),
            self.id,
        )


def at(second: int) -> str:
    return scalars.rfc3339(START + timedelta(seconds=second))


def product(number: int, second: int) -> Json:
    return grd(
        Id=f"{number * 7919 % 10007:05}",  # in another order than that of their making
        Name=f"{NAME[:-9]}{number:04}.SAFE",
        ContentDate={"Start": at(second), "End": at(second)},
        attributes={"orbitNumber": number},
    )


def thermal(number: int, second: int) -> Json:
    found = item("thermal", number, 1, None)
    return {**found, "properties": {"datetime": at(second), "sat:absolute_orbit": 1}}


def name(record: Json) -> str:
    return str(record["Name"]).removesuffix(".SAFE")


@settings(deadline=None, max_examples=60)
@given(
    counts=st.tuples(st.integers(0, 50), st.integers(0, 50)),
    limit=st.integers(1, 9),
    checked=st.booleans(),
    alike=st.booleans(),
    chance=st.builds(Random, st.integers(0, 2**32)),
)
def test_what_comes_and_goes_during_a_walk_hides_nothing_and_repeats_nothing(
    counts: tuple[int, int], limit: int, checked: bool, alike: bool, chance: Random
) -> None:
    seconds = chance.choices(range(9), k=90) if alike else chance.sample(range(900), 90)
    coming = [product(number, second) for number, second in enumerate(seconds)]
    upstream = Archive([coming.pop() for _ in range(counts[0])])
    stays = {name(record) for record in upstream.products if not checked or int(name(record)[-4:]) % 3}
    others = MemoryCatalogue(
        "other", [collection("thermal")], [thermal(n, chance.randrange(900)) for n in range(counts[1])]
    )
    query, token, found = Query(limit=limit, filter=NOT_THIRD if checked else None), None, list[str]()
    with served(Filled(toy(), upstream), others) as federation:
        while True:
            page = federation.search(query, token, ROOT)
            found += [each["id"] for each in page.items if each["collection"] != "thermal"]
            token = page.token
            if token is None:
                break
            if coming and chance.random() < 0.5:
                upstream.products.append(coming.pop())
            if upstream.products and not alike and chance.random() < 0.5:
                gone = upstream.products.pop(chance.randrange(len(upstream.products)))
                stays.discard(name(gone))
    assert stays <= set(found)
    assert alike or len(found) == len(set(found))
