"""What Items are sorted by."""

from typing import Any

from stacbridge.model import Json, SortKey
from stacbridge.ordering import place


def item(id: str, **properties: Any) -> Json:
    return {"id": id, "collection": "c", "properties": properties}


def ids(items: list[Json], *keys: SortKey) -> list[str]:
    return [each["id"] for each in sorted(items, key=lambda each: place(each, keys))]


def test_the_newest_come_first_unless_asked_otherwise() -> None:
    old, new = item("old", datetime="2020-01-01T00:00:00Z"), item("new", datetime="2021-01-01T00:00:00Z")
    assert ids([old, new]) == ["new", "old"]
    assert ids([new, old], SortKey("datetime")) == ["old", "new"]


def test_times_are_compared_as_times_however_they_are_written() -> None:
    first = item("first", datetime="2021-01-01T00:30:00+01:00")
    second = item("second", datetime="2020-12-31T23:45:00.5Z")
    assert ids([second, first], SortKey("datetime")) == ["first", "second"]


def test_an_items_time_is_its_start() -> None:
    span = item("span", datetime=None, start_datetime="2020-01-01T00:00:00Z")
    moment = item("moment", datetime="2020-06-01T00:00:00Z")
    assert ids([moment, span], SortKey("datetime")) == ["span", "moment"]


def test_items_without_a_value_come_last_in_both_directions() -> None:
    items = [item("none"), item("low", **{"eo:cloud_cover": 1}), item("high", **{"eo:cloud_cover": 90.5})]
    assert ids(items, SortKey("eo:cloud_cover")) == ["low", "high", "none"]
    assert ids(items, SortKey("eo:cloud_cover", descending=True)) == ["high", "low", "none"]


def test_later_keys_decide_where_earlier_ones_are_even() -> None:
    items = [item("b", gsd=10), item("a", gsd=10), item("c", gsd=5)]
    assert ids(items, SortKey("gsd"), SortKey("id", descending=True)) == ["c", "b", "a"]
