"""Pushed filters against CQL2 itself: what the upstream would select is what the cql2 library selects of the
items."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.cql import parse as cql
from stacbridge.dialects.odata import OData
from stacbridge.dialects.odata_scope import Scoping
from stacbridge.mapping.mapping import load
from stacbridge.model import Json, Query
from stacbridge.settings import Settings
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
ENDS_WITH_B = "{}(endswith(Name,'B.SAFE')"
EITHER = "(Name eq 'E.nc.SAFE' or Name eq 'E.nc.SEN3' or Name eq 'E.nc.nc') or (Name eq 'F.nc.SAFE'"


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


@pytest.mark.parametrize(
    ("text", "checked", "pushed"),
    [
        ('"eo:cloud_cover" IS NULL', "'eo:cloud_cover' isnull", None),
        ("platform <> 'sentinel-1a'", "'platform' <>", None),
        ("platform LIKE 'sentinel-2%'", "'platform' like", None),
        ("CASEI(platform) = CASEI('X')", "'platform' = with CASEI", None),
        ("NOT S_INTERSECTS(geometry, POINT(0 0))", "'geometry' not s_intersects", None),
        (
            "S_WITHIN(geometry, POINT(0 0))",
            "s_within(geometry, POINT(0 0))",
            "OData.CSC.Intersects(area=geography'SRID=4326;POINT(0 0)')",
        ),
        ("geometry IS NULL", "'geometry' isnull", None),
        ("id > 'S2'", "'id' >", None),
        ("id LIKE 'S2%B'", "'id' like", ENDS_WITH_B.format("startswith(Name,'S2') and ")),
        ("id LIKE 'S2_'", "'id' like", "startswith(Name,'S2')"),
        (
            "id LIKE '%a_b%c%'",
            "'id' like",
            "contains(Name,'a') and contains(Name,'b') and contains(Name,'c')",
        ),
        ("id NOT LIKE 'S2_'", "'id' not like", None),
        (
            "CASEI(id) LIKE CASEI('s2%')",
            "'id' like with CASEI",
            None,
        ),
        (
            "CASEI(id) LIKE CASEI('s2a%')",
            "'id' like with CASEI",
            "(startswith(Name,'S2A') or startswith(Name,'S2a') or startswith(Name,'s2A') or "
            "startswith(Name,'s2a'))",
        ),
        (
            "CASEI(id) = CASEI('S2A_MSIL1C_2024050_R1')",
            "'id' = with CASEI",
            "(contains(Name,'L1C_2024050_R1') or contains(Name,'L1C_2024050_r1') or ",
        ),
        (
            "CASEI(id) LIKE CASEI('%_2024_%_t_%\\_11ÄX\\_%')",
            "'id' like with CASEI",
            "contains(Name,'2024') and contains(Name,'_11')",
        ),
        ("CASEI(id) NOT LIKE CASEI('s2a%')", "'id' not like with CASEI", None),
        ("id LIKE 'S2.SA%'", "'id' like", "startswith(Name,'S2.SA')"),
        ("id LIKE '%AFE%'", "'id' like", "contains(Name,'AFE')"),
        ("datetime > '2024-01-01'", "'datetime' >", None),
        (
            '"sat:absolute_orbit" + 1 = 5 AND "order:status" = \'succeeded\'',
            "sat:absolute_orbit + 1 = 5",
            "Online eq true",
        ),
        ("(\"grid:code\" LIKE 'x%' AND id = 'E.nc') OR id = 'F.nc'", "'grid:code' like", EITHER),
    ],
)
def test_what_the_upstream_cannot_be_asked_exactly_is_asked_wider_and_told(
    text: str, checked: str, pushed: str | None
) -> None:
    query = Query(filter=cql.parse_text(text, SETTINGS), collections=("grd", "slc", "l1c"), count=True)
    assert DIALECT.find(query).checked == (checked,)
    request = DIALECT.ask(query)
    assert request is not None
    assert pushed is None or pushed in dict(request.params)["$filter"]
    assert "$count" not in dict(request.params)


@pytest.mark.parametrize(
    "text", ["nope = 1", "NOT nope = 1", "nope + 1 = 2", "\"eo:cloud_cover\" > 'many'", "instruments = 'sar'"]
)
def test_what_no_item_can_satisfy_asks_nothing(text: str) -> None:
    assert DIALECT.ask(Query(filter=cql.parse_text(text, SETTINGS))) is None


def test_a_filter_too_long_for_the_upstream_is_asked_without_its_longest_part() -> None:
    names = ", ".join(f"'S1A_{number:050}'" for number in range(200))
    text = f'id IN ({names}) AND "sat:absolute_orbit" = 5 AND "orbit" IS NULL'
    query = Query(filter=cql.parse_text(text, Settings(max_filter_bytes=100_000)))
    assert DIALECT.find(query).checked == ("a condition on 'id'",)
    request = DIALECT.ask(query)
    assert request is not None
    assert "orbitNumber" in dict(request.params)["$filter"]
    assert "Name eq 'S1A" not in dict(request.params)["$filter"]


@pytest.mark.parametrize(
    ("text", "pushed"),
    [
        (
            "id = 'O''Hara'",
            "(Name eq 'O''Hara.SAFE' or Name eq 'O''Hara.SEN3' or Name eq 'O''Hara.nc' or Name eq 'O''Hara')",
        ),
        ("id = 'A.SAFE'", "(Name eq 'A.SAFE.SAFE' or Name eq 'A.SAFE.SEN3' or Name eq 'A.SAFE.nc')"),
        (
            "id = 'S2B_MSIL1C_20210105T221949_N0209_R029_T01KAB_20210105T231103'",
            "(Name eq 'S2B_MSIL1C_20210105T221949_N0209_R029_T01KAB_20210105T231103.SAFE' or "
            "Name eq 'S2B_MSIL1C_20210105T221949_N0209_R029_T01KAB_20210105T231103')",
        ),
        ("id LIKE 'S1A%'", "startswith(Name,'S1A')"),
        ("id LIKE '%GRD%'", "contains(Name,'GRD')"),
        ("id LIKE '%'", None),
        ("constellation = 'sentinel-1'", "Collection/Name eq 'SENTINEL-1'"),
        (
            "\"product:type\" = 'S2MSI1C'",
            "Collection/Name eq 'SENTINEL-2' and Attributes/OData.CSC.StringAttribute/any("
            "att:att/Name eq 'productType' and att/OData.CSC.StringAttribute/Value eq 'S2MSI1C')",
        ),
        (
            "platform = 'sentinel-1a'",
            "Collection/Name eq 'SENTINEL-1' and Attributes/OData.CSC.StringAttribute/any("
            "att:att/Name eq 'platformSerialIdentifier' and att/OData.CSC.StringAttribute/Value eq 'A')",
        ),
        ("order:status = 'succeeded'", "Online eq true"),
        (
            "datetime >= TIMESTAMP('2024-01-01T01:00:00+01:00')",
            "ContentDate/Start ge 2024-01-01T00:00:00.000000Z",
        ),
        (
            "sat:absolute_orbit > 5.5",
            "Attributes/OData.CSC.IntegerAttribute/any("
            "att:att/Name eq 'orbitNumber' and att/OData.CSC.IntegerAttribute/Value ge 6)",
        ),
        (
            "s_intersects(geometry, POINT(1.1 -2.0000000000000004))",
            "OData.CSC.Intersects(area=geography'SRID=4326;POINT(1.1 -2.0000000000000004)')",
        ),
    ],
)
def test_the_text_that_is_pushed(text: str, pushed: str | None) -> None:
    request = DIALECT.ask(Query(filter=cql.parse_text(text, SETTINGS)))
    assert request is not None
    assert dict(request.params).get("$filter") == pushed


@pytest.mark.parametrize(
    "text", ["constellation = 'envisat'", "id = 'a' AND sar:frequency_band = 'X'", "grid:code = 'none'"]
)
def test_nothing_is_asked_where_nothing_can_match(text: str) -> None:
    assert DIALECT.ask(Query(filter=cql.parse_text(text, SETTINGS))) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"eo:cloud_cover" < 10', "eo:cloud_cover"),
        ("\"product:type\" LIKE 'IW%'", "product:type"),
        ('"sat:absolute_orbit" IS NOT NULL', "sat:absolute_orbit"),
        ("\"sat:orbit_state\" = 'ascending' AND \"processing:level\" = 'L1'", "processing:level"),
        ("gsd + 1 = 11 OR platform <> 'sentinel-1a'", "platform"),
    ],
)
def test_a_search_of_all_collections_asks_families_that_can_match_and_stays_short(
    text: str, wanted: str
) -> None:
    mapping = load("cdse", Settings())
    scope = Scoping(mapping, mapping.specs, 6000).find(Query(filter=cql.parse_text(text, SETTINGS)))
    assert len(str(scope.text)) < 6000
    assert scope.text is not True
    families = {spec.family for spec in mapping.specs.values() if wanted in mapping.names(spec.id)}
    asked = set(re.findall("Collection/Name eq '([^']+)'", str(scope.text)))
    assert asked <= {spec.family for spec in mapping.specs.values() if spec.id in (scope.wanted or ())}
    assert asked & families
