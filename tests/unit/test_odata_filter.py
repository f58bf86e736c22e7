"""Pushed filters against CQL2 by the book: the upstream would select the items that the filter says."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.cql import parse as cql
from stacbridge.dialects.odata import OData
from stacbridge.model import Json, Query
from tests.unit.cql_oracle import truth
from tests.unit.cql_trees import trees
from tests.unit.odata_oracle import compiled
from tests.unit.toy import ROOT, SETTINGS, grd, l1c, toy

MAPPING = toy()
DIALECT = OData(MAPPING)
FAMILIES = {"grd": "SENTINEL-1", "slc": "SENTINEL-1", "l1c": "SENTINEL-2", "l2a": "SENTINEL-2"}
NAMES = ["S1A_X.SAFE", "S1A_X", "S1A_X.SEN3", "S2'B_%Y.nc", "E", "S1A_E.SAFE", "SAFE"]
TIMES = [f"2024-0{month}-01T00:00:00.{micros:06}Z" for month in (1, 2, 3) for micros in (0, 1)]


def product(chance: random.Random) -> Json:
    """Return a product of either family; most of its attributes may be missing."""
    start = chance.choice(TIMES)
    common: Json = {
        "platformSerialIdentifier": chance.choice([None, "A", "B"]),
        "instrumentShortName": chance.choice([None, "SAR", "MSI"]),
        "processingLevel": chance.choice([None, "LEVEL1", "S2MSI1C", "S2MSI2A", "ODD"]),
        "processingDate": chance.choice([None, *TIMES]),
        "orbitNumber": chance.choice([None, 4, 5, 6]),
    }
    radar: Json = {
        "productType": chance.choice(["IW_GRDH_1S", "IW_SLC__1S"]),
        "orbitDirection": chance.choice([None, "ASCENDING", "DESCENDING"]),
        "polarisationChannels": chance.choice([None, "VV", "VV&VH", "HH&HV"]),
        "operationalMode": chance.choice([None, "IW", "EW"]),
    }
    optical: Json = {
        "cloudCover": chance.choice([None, 0, 10.5, 100]),
        "tileId": chance.choice([None, "54PXA", "28RBS"]),
    }
    make, own = chance.choice([(grd, radar), (l1c, optical)])
    return make(
        Name=chance.choice(NAMES),
        Online=chance.choice([True, False]),
        ContentDate={"Start": start, "End": start},
        PublicationDate=chance.choice(TIMES),
        attributes={**common, **own},
    )


ARCHIVE = [product(random.Random(seed)) for seed in range(100)]
ITEMS = [MAPPING.item(record, ROOT) for record in ARCHIVE]


NUMBERS = st.sampled_from([-1, 0, 4, 5, 5.5, 10.5, 100, 0.1 + 0.2])
COMPARISONS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
TEXTS = {
    "id": ["S1A_X", "S2'B_%Y", "E", "S1A_E", "SAFE", "S1A_X.SAFE"],
    "collection": ["grd", "l1c", "none"],
    "constellation": ["sentinel-1", "sentinel-2"],
    "platform": ["sentinel-1a", "sentinel-2b"],
    "product:type": ["IW_GRDH_1S", "S2MSI1C"],
    "processing:level": ["L1", "L2", "L3"],
    "order:status": ["succeeded", "canceled"],
    "sat:orbit_state": ["ascending", "descending"],
    "sar:instrument_mode": ["IW", "EW"],
    "sar:frequency_band": ["C", "X"],
    "grid:code": ["MGRS-54PXA", "54PXA"],
}
ANY_OPERATOR = ["constellation", "processing:level", "order:status", "sat:orbit_state", "sar:frequency_band"]
ARRAYS = {"instruments": ["sar", "msi", "x"], "sar:polarizations": ["VV", "VH", "HH", "HV"]}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def one_of(values: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(quoted)


@st.composite
def likes(draw: st.DrawFn) -> str:
    pattern = draw(st.sampled_from(["S1A%", "%X", "%1A%", "E", "%E", "%FE", "S2'B%", "%", "%_X%"]))
    if draw(st.booleans()):
        folded = f"CASEI({quoted(pattern.swapcase())})"
        return f"CASEI(id) {draw(st.sampled_from(['LIKE', 'NOT LIKE', '=', '<>', '<']))} {folded}"
    return f"id LIKE {quoted(pattern)}"


@st.composite
def predicates(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["text", "in", "any", "number", "time", "array", "like", "between"]))
    if kind == "text":
        name = draw(st.sampled_from(list(TEXTS)))
        return f'"{name}" = {draw(one_of(TEXTS[name]))}'
    if kind == "in":
        name = draw(st.sampled_from(list(TEXTS)))
        return f'"{name}" IN ({draw(one_of(TEXTS[name]))}, {draw(one_of(TEXTS[name]))})'
    if kind == "any":
        name = draw(st.sampled_from(ANY_OPERATOR))
        return f'"{name}" {draw(COMPARISONS)} {draw(one_of(TEXTS[name]))}'
    if kind == "number":
        name = draw(st.sampled_from(["eo:cloud_cover", "sat:absolute_orbit", "sar:center_frequency"]))
        return f'"{name}" {draw(COMPARISONS)} {draw(NUMBERS)}'
    if kind == "time":
        name = draw(st.sampled_from(["datetime", "published", "processing:datetime"]))
        return f'"{name}" {draw(COMPARISONS)} TIMESTAMP({draw(one_of(TIMES))})'
    if kind == "array":
        name = draw(st.sampled_from(list(ARRAYS)))
        operator = draw(st.sampled_from(["A_CONTAINS", "A_CONTAINEDBY", "A_OVERLAPS", "A_EQUALS"]))
        values = ", ".join(
            map(quoted, draw(st.lists(st.sampled_from(ARRAYS[name]), min_size=2, unique=True)))
        )
        return f'{operator}("{name}", ({values}))'
    if kind == "like":
        return draw(likes())
    return f'"eo:cloud_cover" BETWEEN {draw(NUMBERS)} AND {draw(NUMBERS)}'


FILTERS = st.recursive(
    predicates(),
    lambda inner: st.one_of(
        inner.map(lambda text: f"NOT ({text})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} AND {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
    ),
    max_leaves=5,
).map(lambda text: cql.parse_text(text, SETTINGS))

VALUES = {
    name: values
    for name in sorted({name for item in ITEMS for name in item["properties"]})
    if not isinstance((values := [i["properties"][name] for i in ITEMS if name in i["properties"]])[0], dict)
}
PLACES = st.sampled_from([{"bbox": [170, 50, 10.5, 50.5]}, {"bbox": [170, 0, -170, 1]}, ITEMS[0]["geometry"]])


def selected(query: Query) -> list[bool]:
    """Tell which products the upstream would answer."""
    request = DIALECT.ask(query)
    if request is None:
        return [False] * len(ARCHIVE)
    text = dict(request.params).get("$filter")
    satisfied = compiled(text) if text else lambda product, family: True
    pairs = zip(ARCHIVE, ITEMS, strict=True)
    return [satisfied(record, FAMILIES[item["collection"]]) for record, item in pairs]


@settings(max_examples=150, deadline=None)
@given(FILTERS | trees(VALUES, NAMES, PLACES), st.sets(st.sampled_from(["grd", "slc", "l1c"])))
def test_the_pushed_filter_selects_what_the_filter_says_and_more_only_where_it_tells(
    filter: Json, collections: set[str]
) -> None:
    query = Query(filter=filter, collections=tuple(sorted(collections)))
    checked = DIALECT.find(query).checked
    for item, is_found in zip(ITEMS, selected(query), strict=True):
        wanted = (not collections or item["collection"] in collections) and truth(filter, item) is True
        assert is_found >= wanted, item
        assert is_found == wanted or checked, item
