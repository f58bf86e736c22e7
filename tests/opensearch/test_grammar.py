"""Intervals as written here are read the same by the simulator, which shares no code with the writer."""

from hypothesis import given
from hypothesis import strategies as st

from stacbridge.dialects.opensearch.grammar import Span, comparison, write_set, write_span
from stacbridge.simulators.opensearch_parameters import values

NUMBERS = st.integers(0, 12).map(lambda number: number / 2)
SPANS = st.builds(Span, st.none() | NUMBERS, st.none() | NUMBERS, st.booleans(), st.booleans())
PROBES = [number / 4 for number in range(-4, 30)]


def literal(value: float) -> str:
    return str(value)


@given(SPANS.filter(lambda span: not span.empty and (span.low, span.high) != (None, None)))
def test_a_span_is_read_as_it_was_written(span: Span) -> None:
    holds = values(write_span(span, literal), float, "x")
    assert [holds(probe) for probe in PROBES] == [probe in span for probe in PROBES]


@given(SPANS, SPANS)
def test_both_spans_hold_what_each_holds(first: Span, second: Span) -> None:
    both = first.both(second)
    assert [p in both for p in PROBES] == [p in first and p in second for p in PROBES]


@given(SPANS)
def test_an_empty_span_holds_nothing(span: Span) -> None:
    assert not span.empty or not any(probe in span for probe in PROBES)


@given(st.lists(NUMBERS, min_size=1, max_size=5, unique=True))
def test_a_set_is_read_as_it_was_written(wanted: list[float]) -> None:
    holds = values(write_set(wanted, literal), float, "x")
    assert [holds(probe) for probe in PROBES] == [probe in wanted for probe in PROBES]


def test_the_written_forms_are_those_of_the_standard() -> None:
    written = {op: write_span(comparison(op, 5), str) for op in ("=", "<", "<=", ">", ">=")}
    assert written == {"=": "5", "<": "5[", "<=": "5]", ">": "]5", ">=": "[5"}
    assert write_span(Span(1, 2, above=True), str) == "]1,2]"
    assert write_span(Span(1, 2, below=True), str) == "[1,2["
    assert write_set((1, 2), str) == "{1,2}"
