"""What MAAP's filters know and its items do not show: exact, wherever it stands in a filter."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as checked
from hypothesis import strategies as st

from stacbridge.cql.parse import parse_json, parse_text
from stacbridge.errors import UnsupportedFilter
from stacbridge.loading import load
from stacbridge.model import Json, Query, SortKey
from stacbridge.settings import Settings
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.upstream import Upstream
from tests.maap.archive import settings
from tests.unit.cql_oracle import truth
from tests.unit.cql_trees import combined

ROOT = "http://bridge"
L1A, EARTHCARE, CRYOSAT = "BiomassLevel1a", "EarthCAREL1Validated_MAAP", "CryoSatIceL110"
FOREIGN = (
    "acquisitionType",
    "creationDate",
    "instrument",
    "processingCenter",
    "productionStatus",
    "sensorType",
)


@pytest.fixture(scope="module")
def upstream(sim: MaapSimulator) -> Iterator[Upstream]:
    catalogue = load("maap", settings(sim, max_upstream_pages=100, search_cache_seconds=3600))
    catalogue.collections()
    yield catalogue
    catalogue.close()


@pytest.fixture(scope="module")
def archive(sim: MaapSimulator, upstream: Upstream) -> list[Json]:
    """All items, with what only the simulator knows of them among their properties."""
    facts = {
        (item.collection, item.id): item.facts
        for holding in sim.catalogue.holdings.values()
        for item in holding.items
    }
    found = walked(upstream)
    assert len(found) == len(facts)
    return [{**item, "properties": {**item["properties"], **facts[key(item)]}} for item in found]


def key(item: Json) -> tuple[str, str]:
    return item["collection"], item["id"]


def walked(upstream: Upstream, **query: Any) -> list[Json]:
    """Return the items of all pages of a search."""
    found: list[Json] = []
    position: Json | None = None
    while True:
        page = upstream.search(Query(**{"limit": 500, **query}, position=position), ROOT)
        found += page.items
        position = page.position
        if position is None:
            return found


def cql(text: str) -> Json:
    return parse_text(text, Settings())


def wanted(archive: list[Json], filter: Json, collections: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return what a filter finds by the book, where text that only filters know has no case."""
    meant = caseless(filter)
    return sorted(
        key(item)
        for item in archive
        if (not collections or item["collection"] in collections) and truth(meant, item) is True
    )


def caseless(node: Json) -> Json:
    args = node["args"]
    if node["op"] in ("and", "or", "not"):
        return {**node, "args": [caseless(arg) for arg in args]}
    named = args[0].get("property") if isinstance(args[0], dict) else None
    if named in (*FOREIGN, "orbitDirection") and len(args) == 2 and isinstance(args[1], str):
        return {**node, "args": [{"op": "casei", "args": [arg]} for arg in args]}
    return node


VALUES: dict[str, list[Any]] = {
    "acquisitionType": ["NOMINAL", "nominal", "OTHER"],
    "creationDate": [{"timestamp": "2025-06-08T12:00:00Z"}, {"timestamp": "2025-06-12T14:00:00Z"}],
    "instrument": ["P-SAR", "p-sar", "CPR"],
    "processingCenter": ["PDGS", "ESA", "apf"],
    "sensorType": ["RADAR", "radar", "OPTICAL", 5],
    "frame": ["E", "e", "273", "A"],
    "track": ["9", "150", "22"],
    "productType": ["S1_SCS__1S", "s1_scs__1s", "CPR_NOM_1B"],
    "orbitNumber": [7000, 7007, 7007.5],
    "orbitDirection": ["ASCENDING", "descending", "up"],
    "modificationDate": [{"timestamp": "2025-06-08T12:00:00Z"}],
    "eo:cloud_cover": [10],
    "product:type": ["S2_SCS__1S"],
    "sat:absolute_orbit": [7003, 7010],
    "collection": [L1A, EARTHCARE, CRYOSAT],
}
UNORDERED = {"frame", "track", "instrument", "acquisitionType", "processingCenter", "sensorType"}


@st.composite
def drawn(draw: st.DrawFn) -> Json:
    name = draw(st.sampled_from(sorted(VALUES)))
    node: Json = {"property": name}
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return {"op": "isNull", "args": [node]}
    if kind == 1 and name == "sensorType":
        return {"op": "like", "args": [node, draw(st.sampled_from(["RAD%", "rad%", "%x%"]))]}
    equal = name in UNORDERED or name in ("collection", "orbitDirection")
    op = draw(st.sampled_from(["=", "<>"] if equal else ["=", "<>", "<", "<=", ">", ">="]))
    return {"op": op, "args": [node, draw(st.sampled_from(VALUES[name]))]}


CHECKED = st.sampled_from(
    [
        {"op": "<", "args": [{"op": "+", "args": [{"property": "sat:absolute_orbit"}, 1]}, 7010]},
        {"op": "=", "args": [{"op": "%", "args": [{"property": "orbitNumber"}, 2]}, 0]},
        {"op": "like", "args": [{"property": "product:type"}, "S_\\_SCS%"]},
        {"op": "isNull", "args": [{"property": "sat:absolute_orbit"}]},
    ]
)
FILTERS = combined(st.one_of(drawn(), drawn(), CHECKED), 5)
CHOSEN = st.sampled_from(
    [(L1A,), (EARTHCARE, L1A), (L1A, "BiomassLevel2a"), (EARTHCARE, CRYOSAT), (CRYOSAT,)]
)


@checked(max_examples=25, deadline=None)
@given(filter=FILTERS, collections=CHOSEN)
def test_any_filter_on_what_items_do_not_show_is_exact(
    upstream: Upstream, archive: list[Json], filter: Json, collections: tuple[str, ...]
) -> None:
    found = walked(upstream, collections=collections, filter=parse_json(filter, Settings()))
    assert sorted(map(key, found)) == wanted(archive, filter, collections)


CASES = [
    "sensorType = 'RADAR' AND eo:cloud_cover < 10",
    "sensorType = 'radar' AND sat:absolute_orbit + 1 < 7010",
    "sensorType = 'RADAR' OR sat:absolute_orbit + 1 < 7010",
    "NOT (sensorType = 'RADAR' AND sat:absolute_orbit + 1 < 7010)",
    "frame = 'E' OR sat:absolute_orbit + 1 < 7003",
    "productType = 's1_scs__1s' OR orbitNumber + 1 < 7003",
    "sensorType IS NULL OR orbitNumber + 1 < 7003",
    "sensorType IS NOT NULL AND orbitNumber + 1 < 7003",
    f"collection = '{L1A}' AND track = '9' OR collection = '{EARTHCARE}' AND frame = 'E'",
]


@pytest.mark.parametrize("text", CASES)
def test_what_items_do_not_show_may_stand_beside_anything(
    upstream: Upstream, archive: list[Json], text: str
) -> None:
    filter, chosen = cql(text), (L1A, EARTHCARE, CRYOSAT)
    found = walked(upstream, collections=chosen, filter=filter)
    assert sorted(map(key, found)) == wanted(archive, filter, chosen)


def test_all_collections_are_asked_what_their_filters_know(upstream: Upstream, archive: list[Json]) -> None:
    filter = cql("sensorType = 'RADAR' AND sat:absolute_orbit + 1 < 7003")
    assert sorted(map(key, walked(upstream, filter=filter))) == wanted(archive, filter) != []


def test_pages_of_a_disjunction_that_is_asked_twice_are_full_and_in_order(
    upstream: Upstream, archive: list[Json]
) -> None:
    filter = cql("frame = 'E' OR sat:absolute_orbit + 1 < 7003")
    query: dict[str, Any] = {"filter": filter, "collections": (EARTHCARE,), "sortby": (SortKey("datetime"),)}
    whole = list(map(key, walked(upstream, **query)))
    assert list(map(key, walked(upstream, **query, limit=7))) == whole
    page = upstream.search(Query(**query, limit=7), ROOT)
    assert (len(page.items), page.matched) == (7, None)


def test_only_items_on_whose_account_it_matters_are_asked_about(
    sim: MaapSimulator, upstream: Upstream, archive: list[Json]
) -> None:
    sim.log.clear()
    filter = cql("frame = 'E' OR id LIKE '%'")
    assert len(walked(upstream, collections=(EARTHCARE,), filter=filter)) == len(
        [item for item in archive if item["collection"] == EARTHCARE]
    )
    assert not [seen.query for seen in sim.log if "ids=" in seen.query]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("track LIKE '1%' OR eo:cloud_cover < 10", "'track' like"),
        ("NOT track LIKE '1%'", "'track' not like"),
        ("ACCENTI(sensorType) = ACCENTI('RADAR')", "does not show|do not show"),
    ],
)
def test_what_neither_side_can_tell_is_refused_with_the_reason(
    upstream: Upstream, text: str, told: str
) -> None:
    with pytest.raises(UnsupportedFilter, match=told) as refused:
        upstream.search(Query((L1A,), filter=cql(text)), ROOT)
    assert "do not show" in refused.value.description


def test_a_long_filter_keeps_what_cannot_be_checked(upstream: Upstream, archive: list[Json]) -> None:
    types = ", ".join(f"'{kind}_{number:050}'" for number in range(150) for kind in ("A",))
    text = f"frame = 'E' AND (product:type IN ({types}) OR orbitNumber < 7003)"
    filter = parse_text(text, Settings(max_filter_bytes=100_000))
    found = walked(upstream, collections=(EARTHCARE,), filter=filter)
    assert sorted(map(key, found)) == wanted(archive, filter, (EARTHCARE,))
    assert found


def test_queryables_say_what_only_filters_know_and_what_is_another_name(upstream: Upstream) -> None:
    for told in (upstream.queryables(L1A), upstream.queryables(None)):
        properties = told["properties"]
        assert properties["sensorType"]["description"].startswith(
            "Known to filters alone: items do not show it"
        )
        assert "no case" in properties["sensorType"]["description"]
        assert all(schema["stacbridge:pushed"] for schema in properties.values())
        assert told["additionalProperties"] is True
    own = upstream.queryables(L1A)["properties"]
    assert own["productType"]["description"] == "Another name of product:type."
    assert own["productType"]["enum"] == own["product:type"]["enum"]
