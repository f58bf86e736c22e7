"""What a search of the simulated MAAP asks for: CQL2 text (which ignores case), areas, times."""

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import cql2
import orjson
import shapely
from shapely.geometry import box, shape

from .answers import Refused
from .maap_holdings import NAMES, Item

Test = Callable[[Item], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def refused(message: str) -> Refused:
    """A refusal in the catalogue's own form."""
    return Refused(400, {"code": "InvalidParameterValue", "description": message})


class Filter:
    """CQL2 text over named values. `known` are the names that it may use; others are refused."""

    def __init__(self, text: str, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        try:
            self._tree: Any = cql2.parse_text(text).to_json()
        except Exception as error:  # cql2 raises bare exceptions
            raise refused(f"filter: {str(error).splitlines()[0]}") from error
        self._check(self._tree)

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Tell whether these values satisfy it; a missing one satisfies no comparison."""
        return self._holds(self._tree, facts) is True

    def _check(self, node: Any) -> None:
        if isinstance(node, dict) and "property" in node:
            if node["property"] not in self._known:
                raise refused(f"filter: unknown property {node['property']}")
        elif isinstance(node, dict):
            if "op" in node and node["op"] not in (*_COMPARE, "and", "or", "not", "isNull"):
                raise refused(f"filter: operator {node['op']} is not supported")
            for arg in node.get("args", []):
                self._check(arg)

    def _holds(self, node: Any, facts: Mapping[str, Any]) -> bool | None:
        """Evaluate in three-valued logic; None is unknown."""
        op, args = node["op"], node["args"]
        if op in ("and", "or"):
            found = [self._holds(arg, facts) for arg in args]
            decisive = op == "or"
            return decisive if decisive in found else None if None in found else not decisive
        if op == "not":
            inner = self._holds(args[0], facts)
            return None if inner is None else not inner
        left = _value(args[0], facts)
        if op == "isNull":
            return left is None
        right = _value(args[1], facts)
        return None if left is None or right is None else _compared(op, left, right)


def _value(node: Any, facts: Mapping[str, Any]) -> Any:
    if isinstance(node, dict) and "property" in node:
        name = str(node["property"])
        return facts.get(NAMES.get(name, name))
    return node["timestamp"] if isinstance(node, dict) and "timestamp" in node else node


def _compared(op: str, left: Any, right: Any) -> bool:
    times = [moment for value in (left, right) if (moment := _moment(value)) is not None]
    if len(times) == 2:
        return _COMPARE[op](*times)
    if isinstance(left, str) and isinstance(right, str):
        return _COMPARE[op](left.lower(), right.lower())
    if isinstance(left, str) or isinstance(right, str):
        raise refused("filter: the value is of another type than the property")
    return _COMPARE[op](left, right)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or "T" not in value or not value.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def area(asked: Mapping[str, Any]) -> Test | None:
    """Read `bbox` and `intersects`."""
    if text := asked.get("bbox"):
        numbers = [float(part) for part in (text.split(",") if isinstance(text, str) else text)]
        if len(numbers) != 4 or numbers[0] > numbers[2]:
            raise refused("bbox: four numbers are expected")
        wanted = box(*numbers)
    elif given := asked.get("intersects"):
        wanted = shape(orjson.loads(given) if isinstance(given, str) else given)
    else:
        return None
    shapely.prepare(wanted)
    return lambda item: bool(wanted.intersects(shape(item.geometry)))


def overlap(text: str) -> Callable[[datetime, datetime], bool]:
    """Read `datetime`: it matches whatever overlaps, both ends included."""
    first, _, second = text.partition("/")
    start, end = _bound(first, datetime.min), _bound(second or first, datetime.max)
    return lambda begins, ends: begins <= end and ends >= start


def _bound(text: str, without: datetime) -> datetime:
    if text in ("", "..", "None"):
        return without.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refused(f"datetime: {text} is no time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def named(value: Any) -> list[str]:
    """Read a list of names, by commas or as JSON."""
    names = value.split(",") if isinstance(value, str) else list(value or ())
    return [name for name in names if name]
