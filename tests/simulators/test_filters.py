"""Filters against brute force over the printed records, and the corners of the dialect."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.simulators.archive import TIME_COLUMNS, Archive
from stacbridge.simulators.filters import Filter
from stacbridge.simulators.syntax import FilterError

from .conftest import SIZE, attribute

Record = dict[str, Any]
Case = tuple[str, Callable[[int], bool]]
ARCHIVE = Archive(SIZE)
SAMPLE = np.arange(0, SIZE, 7)
RECORDS = dict(zip(SAMPLE.tolist(), ARCHIVE.records(SAMPLE), strict=True))
FILTER = Filter(ARCHIVE, frozenset(ARCHIVE.collections()), frozenset(TIME_COLUMNS))
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def value_of(record: Record, name: str) -> Any:
    return next((entry["Value"] for entry in record["Attributes"] if entry["Name"] == name), None)


def polygons(record: Record) -> list[Any]:
    """The footprint's parts within +-180, whatever form the record prints it in; one that only reaches the
    antimeridian is on its own side of it."""
    shape = record["GeoFootprint"]
    if shape is None:
        return []
    parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    found = []
    for (ring,) in parts:
        lons = np.array([lon for lon, _ in ring])
        if lons.max() - lons.min() > 180:
            lons = np.where(lons < 0, lons + 360, lons)
        outline = np.column_stack([lons, [lat for _, lat in ring]])
        turns = (-360, 0, 360) if lons.min() < -180 or lons.max() > 180 else (0,)
        found += [shapely.Polygon(outline + np.array([turn, 0])) for turn in turns]
    return found


def times(path: str) -> st.SearchStrategy[Case]:
    def read(record: Record) -> datetime:
        value = record
        for key in path.split("/"):
            value = value[key]
        return moment(str(value))

    def case(at: datetime, operator: str, style: str) -> Case:
        return f"{path} {operator} {at:{style}}", lambda row: OPERATORS[operator](read(RECORDS[row]), at)

    moments = st.datetimes(datetime(2014, 1, 1), datetime(2026, 6, 1)).map(
        lambda t: t.replace(microsecond=0, tzinfo=UTC)
    )
    styles = st.sampled_from(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%dT%H:%M:%S"])
    return st.builds(case, moments, st.sampled_from(["lt", "le", "gt", "ge"]), styles)


def collection_case(name: str) -> Case:
    return f"Collection/Name eq '{name}'", lambda row: ARCHIVE.family_of(row).collection == name


def name_case(function: str, part: str) -> Case:
    tests: dict[str, Callable[[str], bool]] = {
        "contains": lambda text: part in text,
        "startswith": lambda text: text.startswith(part),
        "endswith": lambda text: text.endswith(part),
    }
    return f"{function}(Name,'{part}')", lambda row: tests[function](RECORDS[row]["Name"])


def number_case(name: str, operator: str, value: float, type_: str) -> Case:
    def matches(row: int) -> bool:
        known = value_of(RECORDS[row], name)
        return known is not None and OPERATORS[operator](float(known), value)

    return attribute(name, operator, value, type_), matches


def text_case(name: str, value: str) -> Case:
    return attribute(name, "eq", value), lambda row: value_of(RECORDS[row], name) == value


def box_case(west: float, south: float, width: float, height: float) -> Case:
    area = shapely.box(west, south, min(west + width, 180), min(south + height, 90))
    text = f"OData.CSC.Intersects(area=geography'SRID=4326;{area.wkt}')"
    return text, lambda row: any(part.intersects(area) for part in polygons(RECORDS[row]))


def negated(case: Case) -> Case:
    return f"not ({case[0]})", lambda row: not case[1](row)


def joined(cases: list[Case], word: str) -> Case:
    decide = all if word == "and" else any
    return f" {word} ".join(f"({text})" for text, _ in cases), lambda row: decide(
        test(row) for _, test in cases
    )


plain = st.one_of(
    times("ContentDate/Start"),
    times("PublicationDate"),
    st.builds(collection_case, st.sampled_from(sorted(ARCHIVE.collections()))),
    st.builds(
        name_case,
        st.sampled_from(["contains", "startswith", "endswith"]),
        st.sampled_from(["S1A", "_T3", "S2", ".SAFE", "IW", ".nc", "2020"]),
    ),
    st.builds(
        number_case,
        st.sampled_from(["cloudCover", "orbitNumber", "relativeOrbitNumber", "cycleNumber"]),
        st.sampled_from(["eq", "lt", "le", "gt", "ge"]),
        st.integers(0, 200),
        st.sampled_from(["Integer", "Double", "String"]),
    ),
    st.builds(
        text_case,
        st.sampled_from(["productType", "orbitDirection", "timeliness", "polarisationChannels"]),
        st.sampled_from(["S2MSI2A", "IW_SLC__1S", "ASCENDING", "NT", "VV&VH", "ascending"]),
    ),
    st.builds(
        box_case,
        st.integers(-180, 179),
        st.integers(-90, 89),
        st.integers(1, 60),
        st.integers(1, 40),
    ),
)
filters = st.recursive(
    plain,
    lambda inner: st.one_of(
        inner.map(negated),
        st.builds(joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["and", "or"])),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(filters)
def test_a_filter_finds_what_brute_force_over_the_records_finds(case: Case) -> None:
    text, test = case
    assert FILTER.rows(text, SAMPLE).tolist() == [row for row in SAMPLE.tolist() if test(row)]


def found(text: str) -> set[int]:
    return set(FILTER.rows(text, ARCHIVE.all_rows).tolist())


def test_the_type_in_an_attributes_path_is_not_looked_at() -> None:
    exact = found(attribute("relativeOrbitNumber", "eq", 45, "Integer"))
    assert exact
    mixed = "any(x:x/Name eq 'relativeOrbitNumber' and x/OData.CSC.IntegerAttribute/Value eq 45)"
    assert found(f"Attributes/OData.CSC.StringAttribute/{mixed}") == exact
    assert (
        found(
            "Attributes/OData.CSC.StringAttribute/any(i0:i0/Name eq 'relativeOrbitNumber' and i0/Value eq 45)"
        )
        == exact
    )


@pytest.mark.parametrize(
    ("alias", "types"),
    [("GRD", {"IW_GRDH_1S", "EW_GRDM_1S"}), ("SLC", {"IW_SLC__1S", "WV_SLC__1S"}), ("RAW", {"IW_RAW__0S"})],
)
def test_a_group_alias_spans_its_product_types(alias: str, types: set[str]) -> None:
    rows = np.array(sorted(found(attribute("productType", "eq", alias))))
    spanned = {
        value_of(record, "productType") for record in ARCHIVE.records(rows[:: max(1, len(rows) // 300)])
    }
    assert types & spanned
    assert all(alias in ptype and "COG" not in ptype for ptype in spanned)


def test_attributes_of_time_and_truth_are_compared_as_such() -> None:
    at = "2021-05-01T12:00:00.000Z"
    later = attribute("beginningDateTime", "ge", at, "DateTimeOffset")
    assert found(later) == found(f"ContentDate/Start ge {at}")
    slices = found(attribute("sliceProductFlag", "eq", "true", "Boolean"))
    rows = np.array(sorted(slices))[::50]
    assert all(value_of(record, "sliceProductFlag") is True for record in ARCHIVE.records(rows))
    assert slices


def test_a_list_finds_what_its_members_find() -> None:
    names = ARCHIVE.names[[3, 700]].tolist()
    assert found(f"Name in ('{names[0]}','{names[1]}')") == {3, 700}
    inner = "a:a/Name eq 'productType' and a/Value in ('S2MSI1C','S2MSI2A')"
    levels = [found(attribute("productType", "eq", f"S2MSI{level}")) for level in ("1C", "2A")]
    assert found(f"Attributes/OData.CSC.StringAttribute/any({inner})") == levels[0] | levels[1]


def test_times_are_read_with_offsets_and_without_a_zone_as_utc() -> None:
    assert found("ContentDate/Start ge 2020-01-01T00:00:00") == found(
        "ContentDate/Start ge 2019-12-31T20:00:00-04:00"
    )
    assert found("ContentDate/Start ge 2020-01-01") == found(
        "ContentDate/Start ge 2020-01-01T00:00:00.000000Z"
    )


def test_products_without_a_footprint_intersect_nothing() -> None:
    world = (
        "OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))')"
    )
    everything = ARCHIVE.records(ARCHIVE.all_rows)
    placeless = {row for row in range(SIZE) if everything[row]["GeoFootprint"] is None}
    assert placeless
    assert found(f"not {world}") == placeless


def test_a_footprint_over_the_antimeridian_is_found_on_both_sides_and_not_between() -> None:
    wide = next(family for family in ARCHIVE.families if family.collection == "SENTINEL-5P")
    row, ring = next(
        (row, ring)
        for row in ARCHIVE.family_rows(wide.number)
        if (ring := ARCHIVE.view(row).rings()[0])[:, 0].max() > 185
    )
    (lon, lat) = (
        shapely.Polygon(ring).intersection(shapely.LineString([(180, -90), (180, 90)])).centroid.coords[0]
    )
    assert lon == 180
    for east, inside in ((179.999, True), (-179.999, True), (0.0, False)):
        point = f"OData.CSC.Intersects(area=geography'SRID=4326;POINT({east} {lat})')"
        assert (row in found(point)) is inside


def test_a_chain_of_a_thousand_conditions_is_answered() -> None:
    chain = " or ".join(f"contains(Name,'_{n:04d}_')" for n in range(1000))
    assert len(chain) < 60_000
    assert found(chain)


@pytest.mark.parametrize("text", ["", "Name", "true", "foo(Name,'a')", "Online eq", "contains(Name,5)"])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match="Invalid"):
        found(text)
