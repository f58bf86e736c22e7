import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.convert import CONVERTERS, TYPES

CAPITALS = st.from_regex(r"[A-Z][A-Z0-9-]{0,12}", fullmatch=True)
TILES = st.from_regex(r"[0-6]\d[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V]", fullmatch=True)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31))

CANONICAL: dict[str, st.SearchStrategy[Any]] = {
    "lower": CAPITALS,
    "upper": st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True),
    "lower_list": CAPITALS,
    "list": st.text(min_size=1),
    "platform": st.tuples(CAPITALS, st.sampled_from("ABCDP")),
    "orbit_state": st.sampled_from(["ASCENDING", "DESCENDING", "A", "D"]),
    "mgrs": TILES,
    "epsg": st.integers(1024, 32767),
    "product_type": st.sampled_from(["IW_GRDH_1S", "IW_GRDH_1S-COG", "DGE_30-COG"]),
    "baseline": st.from_regex(r"0{0,2}[1-9]\.\d\d", fullmatch=True),
    "integer": st.integers(-(10**12), 10**12).map(str),
    "text": st.integers(-(10**12), 10**12) | st.floats(-1e6, 1e6),
}
"""What the upstream writes, for every converter that writes."""


def test_every_converter_that_writes_is_tried_both_ways() -> None:
    assert set(CANONICAL) == {name for name, converter in CONVERTERS.items() if converter.write is not None}


@pytest.mark.parametrize("name", CANONICAL)
@given(data=st.data())
def test_what_is_read_is_written_back(name: str, data: st.DataObject) -> None:
    converter = CONVERTERS[name]
    assert converter.write is not None
    upstream = data.draw(CANONICAL[name])
    read = converter.read(*upstream) if isinstance(upstream, tuple) else converter.read(upstream)
    written = list(converter.write(read))
    assert upstream in written
    assert all((converter.read(*w) if isinstance(w, tuple) else converter.read(w)) == read for w in written)


@pytest.mark.parametrize("name", [name for name, converter in CONVERTERS.items() if converter.write])
@given(value=st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text(), max_size=2)))
def test_a_value_that_nothing_reads_to_is_written_as_nothing(name: str, value: Any) -> None:
    converter = CONVERTERS[name]
    assert converter.write is not None
    for written in converter.write(value):
        assert (converter.read(*written) if isinstance(written, tuple) else converter.read(written)) == value


@pytest.mark.parametrize("kind", TYPES)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3
    )
)
def test_a_type_reads_anything_or_nothing_without_failing(kind: str, value: Any) -> None:
    TYPES[kind].read(value)


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_a_time_is_read_as_utc_with_six_digits(moment: datetime, minutes: int) -> None:
    shifted = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    read = TYPES["DateTimeOffset"].read(shifted.isoformat())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", read)
    assert datetime.fromisoformat(read) == shifted


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2024-08-01T01:02:03.123Z", "2024-08-01T01:02:03.123000Z"),
        ("2024-08-01T01:02:03Z", "2024-08-01T01:02:03.000000Z"),
        ("2024-08-01T01:02:03+00:00", "2024-08-01T01:02:03.000000Z"),
        ("2024-08-01T01:02:03.5+02:00", "2024-07-31T23:02:03.500000Z"),
        ("2024-08-01 01:02:03", "2024-08-01T01:02:03.000000Z"),
        ("2024-08-01", "2024-08-01T00:00:00.000000Z"),
        ("2024-13-01T00:00:00.000000Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (20240801, None),
    ],
)
def test_old_and_broken_times(old: Any, new: str | None) -> None:
    assert TYPES["DateTimeOffset"].read(old) == new


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("Integer", "12367", 12367),
        ("Integer", "2.3", None),
        ("Integer", 7.0, 7),
        ("Integer", True, None),
        ("Double", 4996964, 4996964),
        ("Double", "95.5", 95.5),
        ("Double", "nan", None),
        ("Double", "", None),
        ("String", "", None),
        ("String", 12, "12"),
        ("String", ["a"], None),
        ("Boolean", "TRUE", True),
        ("Boolean", 1, None),
    ],
)
def test_values_in_the_wrong_type_are_read_where_they_say_the_same(kind: str, value: Any, read: Any) -> None:
    assert TYPES[kind].read(value) == read


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("level", "LEVEL1", "L1"),
        ("level", "S2MSI1C", "L1"),
        ("level", "S2MSI2A", "L2"),
        ("level", "1", "L1"),
        ("level", "L1B", "L1"),
        ("level", "unknown", None),
        ("polarisations", "VV&VH", ["VV", "VH"]),
        ("polarisations", "VV, VH", ["VV", "VH"]),
        ("polarisations", "VV VH", ["VV", "VH"]),
        ("polarisations", "none", None),
        ("beams", "IW1 IW2 IW3", ["iw1", "iw2", "iw3"]),
        ("mgrs", "T54PXA", "MGRS-54PXA"),
        ("mgrs", "54PXI", None),
        ("orbit_state", "d", "descending"),
        ("orbit_state", "geostationary", None),
        (
            "checksum",
            [{"Algorithm": "MD5", "Value": "016A174ED963DFF9398F9081FD68AB19"}],
            "d50110016a174ed963dff9398f9081fd68ab19",
        ),
        ("checksum", [{"Algorithm": "BLAKE3", "Value": "ab" * 32}], "1e20" + "ab" * 32),
        ("checksum", [{}], None),
        ("checksum", [], None),
        ("checksum", [{"Algorithm": "MD5", "Value": "short"}], None),
        ("checksum", None, None),
        ("expiry", "9999-12-31T23:59:59.999999Z", None),
        ("expiry", "2026-01-31T01:13:16.370176Z", "2026-01-31T01:13:16.370176Z"),
        ("number", "2.3", 2.3),
        ("elevation", 30.5, 59.5),
        ("positive", 0, None),
    ],
)
def test_values_as_the_archives_write_them(name: str, value: Any, read: Any) -> None:
    assert CONVERTERS[name].read(value) == read


def test_the_ascending_node_was_passed_milliseconds_before_the_start() -> None:
    read = CONVERTERS["anx"].read
    assert read("2026-01-01T00:10:52.074000Z", 4996964) == "2025-12-31T22:47:35.110000Z"
    assert read("2026-01-01T00:10:52.074000Z", "nothing") is None
    assert read("no time", 4996964) is None
    assert read("0001-01-01T00:10:52.074000Z", 4996964) is None
    assert read("2026-01-01T00:10:52.074000Z", 1e300) is None


@given(MOMENTS, st.floats(0.001, 10**7))
def test_node_and_offset_give_the_start_again(moment: datetime, offset: float) -> None:
    start = moment.replace(tzinfo=UTC)
    node = CONVERTERS["anx"].read(start.isoformat(), offset)
    assert abs(datetime.fromisoformat(node) + timedelta(milliseconds=offset) - start) <= timedelta(
        microseconds=1
    )
