from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.mapping.readers import Reader
from stacbridge.mapping.rows import Row, parse_all
from stacbridge.mapping.tables import Table
from stacbridge.model import Json


def rows(*tables: Json) -> dict[str, Row]:
    return parse_all(Table("rows.toml", f"field[{number}]", table) for number, table in enumerate(tables))


ROWS = rows(
    {"stac": "constellation", "from": "Attributes/a", "convert": "lower"},
    {"stac": "level", "from": "Attributes/b", "convert": "level"},
    {"stac": "platform", "from": ["Attributes/a", "Attributes/c"], "convert": "platform"},
    {"stac": "kind", "from": "Attributes/b", "table": {"L1": 1, "true": 2}},
    {"stac": "tile", "from": "Attributes/d", "convert": "mgrs"},
    {"stac": "text", "from": "Attributes/a"},
    {"stac": "orbit", "from": "Attributes/e", "type": "Integer"},
    {"stac": "cloud", "from": "Attributes/f", "type": "Double"},
    {"stac": "flag", "from": "Attributes/e", "type": "Boolean"},
    {"stac": "datetime", "from": "ContentDate/Start", "type": "DateTimeOffset"},
    {"stac": "start_datetime", "from": "ContentDate/Start", "type": "DateTimeOffset"},
    {"stac": "online", "from": "Online", "type": "Boolean"},
    {"stac": "parts", "from": ["Attributes/e", "Attributes/f"], "type": "Double", "members": ["e", "f"]},
)
READER = Reader(ROWS.values(), {"constant": "c"})

VALUES = st.none() | st.sampled_from(
    ["", "A", "L1", "true", "54PXA", "7", 1, True, 0, False, 1.0, 2.5, ["L1"], {"L1": 1}]
)
RECORDS = st.fixed_dictionaries(
    {
        "Attributes": st.dictionaries(st.sampled_from("abcdef"), VALUES),
        "ContentDate": st.sampled_from(
            [None, {}, {"Start": "2024-06-07T00:06:53.074000Z"}, {"Start": "no"}, 5]
        ),
        "Online": VALUES,
    }
)


def at(record: Json, path: str) -> Any:
    value: Any = record
    for name in path.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def one_by_one(record: Json) -> Json:
    """The properties, each row by itself."""
    found: Json = {"constant": "c"}
    for name, row in ROWS.items():
        values = [at(record, path) for path in row.paths]
        if row.members or None not in values:
            found[name] = row.read(*values)
    return {name: value for name, value in found.items() if value is not None}


@given(st.lists(RECORDS, max_size=6))
def test_each_property_is_what_its_row_reads_whatever_came_before(records: list[Json]) -> None:
    for record in records:
        assert repr(sorted(READER.read(record).items())) == repr(sorted(one_by_one(record).items()))


def test_what_is_remembered_is_not_what_is_given_away() -> None:
    record: Json = {"Attributes": {"a": "SENTINEL", "c": "A"}}
    READER.read(record)["platform"] = "changed"
    assert READER.read(record)["platform"] == "sentinela"


@pytest.mark.parametrize(("stac", "recurs"), [("constellation", True), ("tile", False), ("text", False)])
def test_what_differs_from_product_to_product_is_not_remembered(stac: str, recurs: bool) -> None:
    assert ROWS[stac].recurs is recurs
