"""Pages are those that sorting all that a filter lets through gives, whatever is looked at to find them."""

from urllib.parse import urlencode

import numpy as np
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.simulators import CdseSimulator
from stacbridge.simulators.answers import Options, Refused
from stacbridge.simulators.archive import TIME_COLUMNS, Archive
from stacbridge.simulators.filters import Filter
from stacbridge.simulators.finding import Finder
from stacbridge.simulators.publishing import Published

from .conftest import attribute, products

ARCHIVE = Archive(6000)
FILTER = Filter(ARCHIVE, frozenset(ARCHIVE.collections()), frozenset(TIME_COLUMNS))
PATHS = ("ContentDate/Start", "ContentDate/End", "PublicationDate", "ModificationDate")
STARTS = np.unique(ARCHIVE.column("ContentDate/Start", ARCHIVE.all_rows)).astype("datetime64[us]")
CONDITIONS = (
    "Collection/Name eq 'SENTINEL-2'",
    "not (Collection/Name eq 'COP-DEM')",
    "Name eq 'nothing'",
    attribute("productType", "eq", "S2MSI1C"),
)
times = st.integers(0, len(STARTS) - 1).map(lambda number: f"{STARTS[number]}Z")
bounds = st.builds(
    "{} {} {}".format, st.sampled_from(PATHS), st.sampled_from(["lt", "le", "gt", "ge", "eq"]), times
)
filters = st.lists(st.one_of(bounds, st.sampled_from(CONDITIONS)), max_size=3).map(" and ".join)


@settings(max_examples=150, deadline=None)
@given(
    filters,
    st.sampled_from(["", *PATHS]),
    st.sampled_from(["", " asc", " desc"]),
    st.sampled_from([0, 1, 700, 3000]),
    st.sampled_from([0, 1, 20, 1000]),
    st.sampled_from([0, 900]),
)
def test_a_page_is_a_part_of_all_in_order(
    text: str, path: str, direction: str, skip: int, top: int, held: int
) -> None:
    published = Published(ARCHIVE.size, held)
    asked = {"$skip": skip, "$top": top, "$count": "true"} | ({"$filter": text} if text else {})
    asked |= {"$orderby": path + direction} if path else {}
    rows = ARCHIVE.all_rows[published.mask]
    rows = FILTER.rows(text, rows) if text else rows
    keys = [ARCHIVE.ids.keys(rows)]
    if path:
        found = ARCHIVE.column(path, rows)
        keys.append(-found if direction == " desc" else found)
    expected = rows[np.lexsort(keys)]
    finder = Finder(ARCHIVE, FILTER, frozenset(PATHS), published)
    for counts in (True, False):
        asked["$count"] = str(counts).lower()
        page = finder.find(Options(urlencode(asked)))
        assert page.rows.tolist() == expected[skip : skip + top].tolist()
        assert page.more == (len(expected) > skip + top)
        assert page.count == (len(expected) if counts else None)


@pytest.mark.parametrize(
    "text", ["ContentDate/Start lt 1970-01-01 and Nothing eq 1", "ContentDate/Start lt 'then'", "or"]
)
def test_a_filter_that_cannot_be_read_is_refused_where_nothing_is_left_to_test(text: str) -> None:
    finder = Finder(ARCHIVE, FILTER, frozenset(PATHS))
    with pytest.raises(Refused):
        finder.find(Options(urlencode({"$filter": text, "$orderby": "ContentDate/Start"})))


def test_products_are_not_in_the_catalogue_until_they_are_published() -> None:
    with CdseSimulator(1000, held=30) as simulator:
        assert products(simulator, count="true", top=0)["@odata.count"] == 970
        url = simulator.catalogue_url.removesuffix("/odata/v1")
        coming = requests.post(f"{url}/simulator/publish?count=20", timeout=10).json()["published"]
        assert len(coming) == 20
        assert len(products(simulator, filter=f"Name eq '{coming[0]}'")["value"]) == 1
        assert products(simulator, count="true", top=0)["@odata.count"] == 990
        requests.post(f"{url}/simulator/publish?count=20", timeout=10)
        assert products(simulator, count="true", top=0)["@odata.count"] == 1000


def test_an_elevation_model_has_all_its_tiles_at_one_time() -> None:
    rows = ARCHIVE.all_rows[ARCHIVE.collection_mask("COP-DEM", ARCHIVE.all_rows)]
    _, counts = np.unique(ARCHIVE.column("ContentDate/Start", rows), return_counts=True)
    assert np.max(counts) > len(rows) / 2
