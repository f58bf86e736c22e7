"""Aggregations are exact, whether catalogues count or Items are read, and refused where they could not be."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.aggregation import AGGREGATIONS, aggregate, available
from stacbridge.errors import SearchTooWide, UpstreamError, UpstreamUnavailable
from stacbridge.federation import Federation
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query
from stacbridge.settings import Settings
from tests.api.archive import collection, item
from tests.unit.discovered import Discovered

ROOT = "https://bridge.example"
READING, COUNTING = Settings(), Settings(aggregation_items=1, aggregation_requests=5000)


class Uncounted(MemoryCatalogue):
    """A catalogue that never says how many Items match."""

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        return replace(super().search(query, root, ready=ready), matched=None)


class Down(MemoryCatalogue):
    """A catalogue that answers no search."""

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        raise UpstreamUnavailable("The catalogue is down.", upstream=self.id)


def made(collection_id: str, number: int, time: str, **properties: Any) -> Json:
    stac = item(collection_id, number)
    stac["properties"] = {"datetime": time, **properties}
    return stac


Facts = tuple[str, str, float | None, str | None, int | None]
FACTS = st.tuples(
    st.sampled_from(["one", "two", "three"]),
    st.datetimes(datetime(2015, 1, 1), datetime(2025, 12, 31)).map(lambda at: f"{at.isoformat()}Z"),
    st.none() | st.sampled_from([0, 4.99, 5, 14, 15, 39.9, 40, 100]),
    st.none() | st.sampled_from(["ascending", "descending"]),
    st.none() | st.sampled_from([1, 44, 175, 385, 511, 0]),
)


def items_of(facts: Iterable[Facts]) -> list[Json]:
    found = []
    for number, (id, time, cover, state, orbit) in enumerate(facts):
        told = {"eo:cloud_cover": cover, "sat:orbit_state": state, "sat:relative_orbit": orbit}
        found.append(
            made(id, number, time, **{name: value for name, value in told.items() if value is not None})
        )
    return found


def catalogues(items: list[Json], kinds: tuple[type[MemoryCatalogue], type[MemoryCatalogue]]) -> Federation:
    held = [("a", ("one", "two")), ("b", ("three",))]
    return Federation(
        [
            kind(
                id, [collection(each) for each in ids], [stac for stac in items if stac["collection"] in ids]
            )
            for kind, (id, ids) in zip(kinds, held, strict=True)
        ],
        READING,
    )


def told(
    items: list[Json],
    bounds: Settings,
    query: Query,
    names: Iterable[str] = AGGREGATIONS,
    kind: Any = MemoryCatalogue,
) -> dict[str, Json]:
    federation = catalogues(items, (kind, MemoryCatalogue))
    try:
        found = aggregate(list(names), query, "year", federation, bounds, ROOT)
    finally:
        federation.close()
    return {each["name"]: each for each in found}


def brute(items: list[Json]) -> dict[str, Any]:
    """Return every number as a person would count it."""
    properties = [stac["properties"] for stac in items]
    covers = [each["eo:cloud_cover"] for each in properties if "eo:cloud_cover" in each]
    return {
        "total_count": len(items),
        "years": Counter(each["datetime"][:4] for each in properties),
        "collections": Counter(stac["collection"] for stac in items),
        "clouds": [
            sum(cover < 5 for cover in covers),
            sum(5 <= cover < 15 for cover in covers),
            sum(15 <= cover < 40 for cover in covers),
            sum(cover >= 40 for cover in covers),
        ],
        "cloudless": len(items) - len(covers),
        "states": Counter(each["sat:orbit_state"] for each in properties if "sat:orbit_state" in each),
        "orbits": Counter(
            each["sat:relative_orbit"] for each in properties if each.get("sat:relative_orbit")
        ),
    }


def buckets(aggregation: Json) -> dict[str, int]:
    return {each["key"]: each["frequency"] for each in aggregation["buckets"] if each["frequency"]}


@settings(max_examples=60, deadline=None)
@given(
    facts=st.lists(FACTS, max_size=30),
    bounds=st.sampled_from([READING, COUNTING]),
    asked=st.sets(st.sampled_from(["one", "two", "three"])),
    clear=st.booleans(),
)
def test_every_number_is_what_counting_by_hand_gives(
    facts: list[Facts], bounds: Settings, asked: set[str], clear: bool
) -> None:
    items = items_of(facts)
    filter = {"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]} if clear else None
    found = told(items, bounds, Query(collections=tuple(sorted(asked)), filter=filter))
    matching = [
        stac
        for stac in items
        if (not asked or stac["collection"] in asked)
        and (not clear or stac["properties"].get("eo:cloud_cover", 99) < 20)
    ]
    expected = brute(matching)
    assert found["total_count"]["value"] == expected["total_count"]
    assert buckets(found["collection_frequency"]) == expected["collections"]
    years = {key[:4]: number for key, number in buckets(found["datetime_frequency"]).items()}
    assert years == expected["years"]
    assert [each["frequency"] for each in found["cloud_cover_frequency"]["buckets"]] == expected["clouds"]
    assert found["cloud_cover_frequency"].get("overflow", 0) == expected["cloudless"]
    assert buckets(found["sat_orbit_state_frequency"]) == expected["states"]
    orbits = {str(orbit): number for orbit, number in expected["orbits"].items() if orbit < 511}
    assert {
        key: n for key, n in buckets(found["sat_relative_orbit_frequency"]).items() if key != "511"
    } == orbits
    times = sorted(stac["properties"]["datetime"][:19] for stac in matching)
    ends = [str(found[name]["value"])[:19] for name in ("datetime_min", "datetime_max")]
    assert ends == ([times[0], times[-1]] if times else ["None", "None"])


ITEMS = items_of(
    [
        ("one", "2020-05-01T00:00:00Z", 3, "ascending", 44),
        ("two", "2021-07-02T00:00:00Z", 100, None, 385),
        ("three", "2021-07-02T12:00:00Z", None, "descending", None),
    ]
)


@pytest.mark.parametrize("bounds", [READING, COUNTING])
def test_shapes_are_those_of_the_extension(bounds: Settings) -> None:
    found = told(ITEMS, bounds, Query())
    assert found == {
        "total_count": {"name": "total_count", "data_type": "integer", "value": 3},
        "datetime_min": {
            "name": "datetime_min",
            "data_type": "datetime",
            "value": "2020-05-01T00:00:00.000000Z",
        },
        "datetime_max": {
            "name": "datetime_max",
            "data_type": "datetime",
            "value": "2021-07-02T12:00:00.000000Z",
        },
        "datetime_frequency": {
            "name": "datetime_frequency",
            "data_type": "interval_year",
            "buckets": [
                {"key": "2020-01-01T00:00:00.000000Z", "data_type": "datetime", "frequency": 1},
                {"key": "2021-01-01T00:00:00.000000Z", "data_type": "datetime", "frequency": 2},
            ],
        },
        "collection_frequency": {
            "name": "collection_frequency",
            "data_type": "string",
            "buckets": [
                {"key": "one", "data_type": "string", "frequency": 1},
                {"key": "two", "data_type": "string", "frequency": 1},
                {"key": "three", "data_type": "string", "frequency": 1},
            ],
        },
        "cloud_cover_frequency": {
            "name": "cloud_cover_frequency",
            "data_type": "numeric",
            "buckets": [
                {"key": "0-5", "data_type": "numeric", "frequency": 1, "from": 0, "to": 5},
                {"key": "5-15", "data_type": "numeric", "frequency": 0, "from": 5, "to": 15},
                {"key": "15-40", "data_type": "numeric", "frequency": 0, "from": 15, "to": 40},
                {"key": "40-*", "data_type": "numeric", "frequency": 1, "from": 40},
            ],
            "overflow": 1,
        },
        "sat_orbit_state_frequency": {
            "name": "sat_orbit_state_frequency",
            "data_type": "string",
            "buckets": [
                {"key": "ascending", "data_type": "string", "frequency": 1},
                {"key": "descending", "data_type": "string", "frequency": 1},
            ],
            "overflow": 1,
        },
        "sat_relative_orbit_frequency": {
            "name": "sat_relative_orbit_frequency",
            "data_type": "numeric",
            "buckets": [
                {"key": "44", "data_type": "numeric", "frequency": 1},
                {"key": "385", "data_type": "numeric", "frequency": 1},
            ],
            "overflow": 1,
        },
    }


def test_a_catalogue_that_does_not_count_is_read_beside_one_that_does() -> None:
    assert told(ITEMS, READING, Query(), kind=Uncounted) == told(ITEMS, READING, Query())


def test_more_items_than_may_be_read_are_refused_rather_than_guessed() -> None:
    with pytest.raises(SearchTooWide, match="aggregation_items") as refused:
        told(ITEMS, Settings(aggregation_items=1), Query(), ["total_count"], kind=Uncounted)
    assert refused.value.parameter == "aggregations"
    assert "datetime" in str(refused.value.advice)


def test_more_searches_than_may_be_made_are_refused() -> None:
    bounds = Settings(aggregation_items=1, aggregation_requests=5)
    with pytest.raises(SearchTooWide, match="aggregation_requests"):
        told(ITEMS, bounds, Query(), ["sat_relative_orbit_frequency"])
    assert told(ITEMS, bounds, Query(), ["total_count"])["total_count"]["value"] == 3


def test_more_buckets_than_are_allowed_are_refused() -> None:
    with pytest.raises(SearchTooWide, match="more than 1 times a year") as refused:
        told(ITEMS, Settings(aggregation_buckets=1), Query(), ["datetime_frequency"])
    assert refused.value.parameter == "datetime_frequency_interval"


def test_empty_stretches_of_time_cost_few_searches() -> None:
    """Two Items thirty years apart: 360 months, and a dozen searches for each rather than 360."""
    items = items_of(
        [("one", "1990-01-01T00:00:00Z", None, None, None), ("one", "2019-12-31T00:00:00Z", None, None, None)]
    )
    federation = catalogues(items, (MemoryCatalogue, MemoryCatalogue))
    bounds = Settings(aggregation_items=1, aggregation_requests=30)
    (found,) = aggregate(["datetime_frequency"], Query(), "month", federation, bounds, ROOT)
    federation.close()
    assert len(found["buckets"]) == 360
    assert list(buckets(found)) == ["1990-01-01T00:00:00.000000Z", "2019-12-01T00:00:00.000000Z"]


def test_a_number_without_a_catalogue_that_is_down_is_not_told() -> None:
    with pytest.raises(UpstreamUnavailable, match="down"):
        told(ITEMS, READING, Query(), ["total_count"], kind=Down)
    asked = Query(collections=("three",))
    assert told(ITEMS, READING, asked, ["total_count"], kind=Down)["total_count"]["value"] == 1


def test_only_what_items_have_is_available() -> None:
    assert "cloud_cover_frequency" not in available(["datetime"])
    assert "cloud_cover_frequency" in available(["datetime", "eo:cloud_cover"])
    assert "total_count" in available([])


@pytest.mark.parametrize("hangs", [False, True])
def test_a_catalogue_that_is_not_asked_takes_no_number_from_the_others(hangs: bool) -> None:
    other = Discovered("other", "four")
    other.down, other.slow = True, Event() if hangs else None
    held = MemoryCatalogue("a", [collection("one")], ITEMS[:1])
    federation = Federation([held, other], Settings(connect_timeout=0.5))
    try:
        (found,) = aggregate(["total_count"], Query(collections=("one",)), None, federation, Settings(), ROOT)
        assert found["value"] == 1
        with pytest.raises(UpstreamError):
            aggregate(["total_count"], Query(), None, federation, Settings(), ROOT)
    finally:
        if other.slow is not None:
            other.slow.set()
        federation.close()
