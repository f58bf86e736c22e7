"""Random CQL2 JSON of every class: what a property may be tested with is drawn from the values it has."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from stacbridge.model import Json
from tests.unit.cql_oracle import ARITHMETIC, ARRAYS, COMPARE, TEMPORAL, TIME

T = TypeVar("T")
SPATIAL = ("contains", "crosses", "disjoint", "equals", "intersects", "overlaps", "touches", "within")
NOWHERE = "nowhere:to_be_found"


def one_of(things: Sequence[T]) -> st.SearchStrategy[T]:
    """Draw one of many things, which are too many to print."""
    return st.integers(0, len(things) - 1).map(lambda index: things[index])


def trees(
    values: Mapping[str, Sequence[Any]], ids: Sequence[str], places: st.SearchStrategy[Json]
) -> st.SearchStrategy[Json]:
    """Draw filters on properties with these values, on ids, and on what meets `places`."""
    tests = one_of(sorted(values)).flatmap(lambda name: _tests(name, values[name]))
    odd = st.one_of(_unknown(), _computed(values), _temporal(values), _spatial(places), _named(ids))
    return combined(st.one_of(tests, tests, odd), 4)


def combined(tests: st.SearchStrategy[Json], most: int) -> st.SearchStrategy[Json]:
    """Draw up to so many tests, put together by AND, OR and NOT."""
    return st.recursive(
        tests,
        lambda inner: (
            st.lists(inner, min_size=2, max_size=3).flatmap(
                lambda parts: st.sampled_from([{"op": op, "args": parts} for op in ("and", "or")])
            )
            | inner.map(lambda part: _node("not", part))
        ),
        max_leaves=most,
    )


def _node(op: str, *args: Any) -> Json:
    return {"op": op, "args": list(args)}


def _literal(value: Any) -> Any:
    return {"timestamp": value} if _is_time(value) else value


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and TIME.fullmatch(value) is not None


@st.composite
def _tests(draw: st.DrawFn, name: str, values: Sequence[Any]) -> Json:
    """Draw a test of one property with a literal."""
    node, value = {"property": name}, draw(one_of(values))
    if draw(st.integers(0, 9)) == 0:
        return _node("isNull", node)
    if isinstance(value, list):
        entries = sorted({entry for each in values for entry in each})
        some = draw(st.lists(st.sampled_from(entries), min_size=1, max_size=3))
        return _node(draw(st.sampled_from(sorted(ARRAYS))), node, some)
    literals = one_of(values).map(_literal)
    kind = draw(st.sampled_from(["compare", "compare", "in", "between", "text"]))
    if kind == "in":
        choices = draw(st.lists(literals, min_size=1, max_size=3))
        if isinstance(value, str) and not _is_time(value) and draw(st.booleans()):
            function = draw(st.sampled_from(["casei", "accenti"]))
            return _node("in", _node(function, node), [_node(function, choice) for choice in choices])
        return _node("in", node, choices)
    if kind == "between":
        return _node("between", node, draw(literals), draw(literals))
    if isinstance(value, str) and TIME.fullmatch(value):
        at: Json = draw(st.sampled_from([{"timestamp": value}, {"date": value[:10]}]))
        return _node(draw(st.sampled_from(sorted(COMPARE))), node, at)
    if kind == "text" and isinstance(value, str):
        return draw(_texts(node, value))
    return _node(draw(st.sampled_from(sorted(COMPARE))), node, draw(literals))


@st.composite
def _texts(draw: st.DrawFn, node: Json, value: str) -> Json:
    folded = draw(st.sampled_from([None, "casei", "accenti"]))
    if draw(st.booleans()):
        test = _node("like", node, draw(patterns(value)))
    else:
        test = _node("=", node, draw(st.sampled_from([value, value.upper(), value.lower()])))
    if folded is None:
        return test
    return {**test, "args": [_node(folded, arg) for arg in test["args"]]}


@st.composite
def patterns(draw: st.DrawFn, text: str) -> str:
    """Draw a LIKE pattern that a text satisfies."""
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    before, cut, after = text[:start], text[start:end], text[end:]
    some = [
        f"%{cut}{after}",
        f"{before}%",
        f"%{cut}%",
        text,
        f"{before}%{after}",
        f"{before}{'_' * len(cut)}{after}",
    ]
    return draw(st.sampled_from(some))


def _named(ids: Sequence[str]) -> st.SearchStrategy[Json]:
    node = {"property": "id"}
    return one_of(ids).flatmap(
        lambda id: st.one_of(
            patterns(id).map(lambda pattern: _node("like", node, pattern)),
            st.sampled_from(sorted(COMPARE)).map(lambda op: _node(op, node, id)),
        )
    )


def _unknown() -> st.SearchStrategy[Json]:
    node = {"property": NOWHERE}
    sum_ = _node("+", node, 1)
    return st.sampled_from(
        [_node("isNull", node), _node("=", node, 1), _node("=", sum_, 2), _node("isNull", sum_)]
    )


@st.composite
def _computed(draw: st.DrawFn, values: Mapping[str, Sequence[Any]]) -> Json:
    """Draw a test of a sum, or of two properties."""
    kinds = (type(values[name][0]) for name in values)
    numbers = [name for name, kind in zip(values, kinds, strict=True) if kind in (int, float)]
    counted = bool(numbers) and draw(st.booleans())
    name = draw(one_of(numbers if counted else sorted(values)))
    op = draw(st.sampled_from(sorted(COMPARE)))
    if name not in numbers or draw(st.booleans()):
        # what a text is to a time CQL2 does not say
        alike = [other for other in sorted(values) if _is_time(values[other][0]) == _is_time(values[name][0])]
        return _node(op, {"property": name}, {"property": draw(one_of(alike))})
    total = _node(draw(st.sampled_from(sorted(ARITHMETIC))), {"property": name}, 2)
    return _node(op, total, draw(one_of(values[name])))


@st.composite
def _temporal(draw: st.DrawFn, values: Mapping[str, Sequence[Any]]) -> Json:
    times = [name for name in values if isinstance(values[name][0], str) and TIME.fullmatch(values[name][0])]
    names = [{"property": name} for name in times]
    known = [value for name in times for value in values[name]]
    start, end = sorted((draw(one_of(known)), draw(one_of(known))))
    interval = {
        "interval": [
            draw(st.sampled_from(["..", start, start[:10]])),
            draw(st.sampled_from(["..", end, end[:10]])),
        ]
    }
    literal = draw(st.sampled_from([{"timestamp": start}, {"date": start[:10]}, interval]))
    own = draw(
        st.one_of(
            one_of(names), st.tuples(one_of(names), one_of(names)).map(lambda pair: {"interval": list(pair)})
        )
    )
    args = draw(st.sampled_from([(own, literal), (literal, own)]))
    return _node(draw(st.sampled_from(sorted(TEMPORAL))), *args)


def _spatial(places: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    node = {"property": "geometry"}
    return st.tuples(st.sampled_from(SPATIAL), places, st.booleans()).map(
        lambda drawn: _node(f"s_{drawn[0]}", *((node, drawn[1]) if drawn[2] else (drawn[1], node)))
    )
