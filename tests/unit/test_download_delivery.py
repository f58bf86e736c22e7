"""Ranges, refusals and headers, without any connection."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.download.delivery import disposition
from stacbridge.download.ranges import ByteRange, unsatisfiable
from stacbridge.download.refusals import refusal
from stacbridge.model import Reply

offsets = st.integers(0, 10**12)
ranges = st.one_of(
    st.builds(ByteRange, offsets, st.none()),
    st.builds(ByteRange, st.none(), offsets),
    st.tuples(offsets, offsets).map(lambda pair: ByteRange(min(pair), max(pair))),
)


def served(asked: ByteRange, total: int) -> range:
    """Return the offsets that a server which follows RFC 9110 sends for `asked`."""
    if asked.first is None:
        return range(max(0, total - (asked.last or 0)), total)
    return range(asked.first, total if asked.last is None else min(asked.last + 1, total))


@given(ranges)
def test_a_range_is_read_as_it_is_written(asked: ByteRange) -> None:
    assert ByteRange.parse(str(asked)) == asked


@given(st.text(max_size=80))
def test_whatever_a_range_header_says_it_is_read_or_ignored(header: str) -> None:
    asked = ByteRange.parse(header)
    assert asked is None or ByteRange.parse(str(asked)) == asked


@given(ranges, st.integers(1, 10**12))
def test_the_part_that_a_server_owes_is_accepted_with_its_length(asked: ByteRange, total: int) -> None:
    part = served(asked, total)
    if part:
        content_range = f"bytes {part.start}-{part.stop - 1}/{total}"
        assert asked.length_of(content_range) == len(part)


@given(ranges, st.integers(1, 10**12), st.integers(0, 10**12), st.integers(0, 10**12))
def test_every_other_part_is_refused(asked: ByteRange, total: int, first: int, last: int) -> None:
    part = served(asked, total)
    if (first, last) != (part.start, part.stop - 1):
        assert asked.length_of(f"bytes {first}-{last}/{total}") is None


def test_a_part_of_a_file_of_unknown_length_is_accepted_if_it_is_the_one_asked_for() -> None:
    assert ByteRange(5, 9).length_of("bytes 5-9/*") == 5
    assert ByteRange(5, 9).length_of("bytes 5-8/*") is None
    assert ByteRange(5, None).length_of("bytes 5-8/*") == 4
    assert ByteRange(None, 4).length_of("bytes 5-8/*") is None


@pytest.mark.parametrize("content_range", [None, "bytes 0-1/5", "bytes */5\r\nSet-Cookie: a=b"])
def test_a_length_that_the_upstream_does_not_tell_properly_is_not_told(content_range: str | None) -> None:
    assert "Content-Range" not in unsatisfiable("bytes=9-", content_range).headers()


@pytest.mark.parametrize(
    "value, seconds",
    [("0", 30), ("7", 7), ("-5", 30), ("1000000000", 900), ("soon", 30), ("", 30), ("²", 30)],
)
@pytest.mark.parametrize("status", [202, 429, 503])
def test_the_client_is_told_to_wait_a_sane_number_of_seconds(status: int, value: str, seconds: int) -> None:
    failure = refusal(Reply(status, {"retry-after": value}, b""), upstream="cdse", asked="GET x")
    assert failure.retry_after == seconds


@given(st.text(min_size=1))
def test_any_name_survives_a_content_disposition_but_for_what_no_file_name_may_have(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    plain, _, extended = header.removeprefix("attachment; filename=").partition("; filename*=UTF-8''")
    kept = "".join("_" if char in '/\\"' or not char.isprintable() else char for char in name)
    assert (unquote(extended) or plain.strip('"')) == kept
