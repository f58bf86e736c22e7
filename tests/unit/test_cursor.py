"""Cursors: what is written is read back, and nothing else is."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.cursor import Cursors, Positions
from stacbridge.errors import BadRequest
from stacbridge.model import Interval, Query, SortKey
from stacbridge.seal import Seal

QUERY = Query(
    collections=("radar-grd",),
    bbox=(10.0, 10.0, 12.5, 12.5),
    interval=Interval(datetime(2024, 1, 1, tzinfo=UTC), None),
    filter={"op": "<", "args": [{"property": "eo:cloud_cover"}, 5]},
    sortby=(SortKey("datetime", descending=True),),
)
POSITIONS = st.none() | st.dictionaries(
    st.text(), st.integers(-(2**53), 2**53) | st.text() | st.booleans() | st.none(), max_size=4
)


WRITTEN: Positions = {"alpha": {"t": "2024-01-01T00:00:00Z", "n": 3}, "beta": None}


@given(positions=st.dictionaries(st.text(), POSITIONS, max_size=5), secret=st.none() | st.text(min_size=1))
def test_a_cursor_is_read_as_it_was_written(positions: Positions, secret: str | None) -> None:
    cursors = Cursors(secret)
    token = cursors.write(QUERY, positions)
    assert cursors.read(token, QUERY) == positions
    assert token == "".join(token.split()) and "=" not in token


def test_a_cursor_of_many_long_positions_is_packed() -> None:
    positions: Positions = {
        f"catalogue-{n}": {"after": ["2024-01-01T00:00:00Z", "S1A_IW"]} for n in range(20)
    }
    token = Cursors().write(QUERY, positions)
    assert len(token) < len(str(positions)) / 2


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_a_cursor_changed_anywhere_is_refused(place: int, change: int) -> None:
    cursors = Cursors("secret")
    token = cursors.write(QUERY, WRITTEN)
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[place % len(raw)] ^= change
    with pytest.raises(BadRequest) as refused:
        cursors.read(urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode(), QUERY)
    assert refused.value.parameter == "token"


@given(text=st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Cursors("secret").read(text, QUERY)


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, collections=("optical-l1",)),
        replace(QUERY, ids=("a",)),
        replace(QUERY, bbox=(10.0, 10.0, 12.5, 12.6)),
        replace(QUERY, interval=None),
        replace(QUERY, filter=None),
        replace(QUERY, sortby=()),
        replace(QUERY, intersects={"type": "Point", "coordinates": [1, 2]}),
    ],
)
def test_a_cursor_of_another_search_is_refused(other: Query) -> None:
    cursors = Cursors("secret")
    with pytest.raises(BadRequest, match="belongs to another search"):
        cursors.read(cursors.write(QUERY, WRITTEN), other)


def test_the_size_of_pages_may_change_on_the_way() -> None:
    cursors = Cursors("secret")
    token = cursors.write(QUERY, WRITTEN)
    assert cursors.read(token, replace(QUERY, limit=7, count=True)) == WRITTEN


def test_processes_that_share_a_secret_read_each_others_cursors_and_no_others() -> None:
    token = Cursors("secret").write(QUERY, WRITTEN)
    assert Cursors("secret").read(token, QUERY) == WRITTEN
    for other in (Cursors("another"), Cursors(), Cursors()):
        with pytest.raises(BadRequest, match="this server did not make it"):
            other.read(token, QUERY)


def test_a_cursor_of_another_version_is_refused() -> None:
    cursors = Cursors("secret")
    with pytest.raises(BadRequest, match="another version"):
        cursors.read(Seal("cursor", "secret").write([1, "", "alpha", None]), QUERY)


def test_what_is_sealed_for_something_else_is_no_cursor() -> None:
    with pytest.raises(BadRequest, match="this server did not make it"):
        Cursors("secret").read(Seal("order", "secret").write([2, "", {}]), QUERY)
