"""The text of pushed filters: exact where the upstream can be asked exactly, else wider and told as such."""

import re

import pytest

from stacbridge.cql import parse as cql
from stacbridge.dialects.odata import OData
from stacbridge.dialects.odata_scope import Scoping
from stacbridge.mapping.mapping import load
from stacbridge.model import Query
from stacbridge.settings import Settings
from tests.unit.toy import SETTINGS, toy

DIALECT = OData(toy())
ENDS_WITH_B = "{}(endswith(Name,'B.SAFE')"
SLC = (
    "Collection/Name eq 'SENTINEL-1' and Attributes/OData.CSC.StringAttribute/any("
    "att:att/Name eq 'productType' and att/OData.CSC.StringAttribute/Value eq 'IW_SLC__1S')"
)
EITHER = "(Name eq 'E.nc.SAFE' or Name eq 'E.nc.SEN3' or Name eq 'E.nc.nc') or (Name eq 'F.nc.SAFE'"


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
        ("constellation = 'sentinel-1' AND collection = 'slc'", SLC),
        (
            "\"product:type\" = 'S2MSI1C'",
            "Collection/Name eq 'SENTINEL-2' and Attributes/OData.CSC.StringAttribute/any("
            "att:att/Name eq 'productType' and att/OData.CSC.StringAttribute/Value eq 'S2MSI1C')",
        ),
        (
            "platform = 'sentinel-1a' AND collection = 'slc'",
            f"{SLC} and Attributes/OData.CSC.StringAttribute/any("
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
