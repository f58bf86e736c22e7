"""Conditions as CQL2 JSON in the words of one STAC API, exactly or not at all.

Which names its filters take is read from its queryables (a `Vocabulary`), since names move: where items say
`product:type`, filters have been `productType` and `product:type`. Some compare text without regard to case,
which is not what `=` means in CQL2. There a test of text is pushed where the values that the queryables list
(`enum`) leave no doubt, or where all values are known to be in one case; else `CASEI` asks for just that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stacbridge.cql.conditions import ARRAYS, And, Condition, Or, Predicate, moment, unsupported
from stacbridge.cql.evaluate import holds
from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.passthrough import Field, Habits
from stacbridge.model import Json

Expression = Json | bool
"""CQL2 JSON, or whether all or no items satisfy it."""

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The properties that filters may name, as JSON Schemas by the upstream's names."""

    schemas: Mapping[str, Json]

    def meet(self, other: "Vocabulary") -> "Vocabulary":
        """Return what two collections have in common, with the values of both."""
        both = self.schemas.keys() & other.schemas.keys()
        return Vocabulary({name: _joined(self.schemas[name], other.schemas[name]) for name in both})


@dataclass(frozen=True, slots=True)
class Wording:
    """How one API words filters on some of its collections."""

    title: str
    habits: Habits
    fields: Mapping[str, Field]
    vocabulary: Vocabulary

    def write(self, condition: Condition) -> Expression:
        """Return a condition as CQL2 JSON. Raises `UnsupportedFilter` naming property and operator."""
        if isinstance(condition, bool):
            return condition
        if isinstance(condition, And):
            return both([self.write(part) for part in condition.parts])
        if isinstance(condition, Or):
            return either([self.write(part) for part in condition.parts])
        return self._test(condition)

    def _test(self, test: Predicate) -> Expression:
        field = next((field for field in self.fields.values() if test.name in field.names), None)
        name = self._name(test, field)
        schema = self.vocabulary.schemas.get(name, {})
        converted = field is not None and field.converted and test.name == field.stac
        if test.op in ("isnull", "s_intersects"):
            return self._native(test, name, test.value)
        _check_kind(test, schema)
        if schema.get("format") == "date-time":
            return self._native(test, name, {"timestamp": moment(test.name, test.value)})
        if schema.get("type", "string") != "string":
            return self._native(test, name, _whole(test.value))
        if isinstance(entries := schema.get("enum"), list):
            return self._among(test, name, entries, field if converted else None)
        if converted:
            raise _refused(test, "its values are not those of the upstream, which lists none.")
        return self._text(test, name, field)

    def _name(self, test: Predicate, field: Field | None) -> str:
        """Return what the upstream calls a property at present."""
        candidates = (test.name, *(field.names if field else ()))
        known = [name for name in candidates if name in self.vocabulary.schemas or name == "geometry"]
        if not known:
            raise unsupported(f"{test.name!r} {test.op}: {self.title} has no such property to filter by.")
        return known[0]

    def _among(self, test: Predicate, name: str, entries: list[Any], field: Field | None) -> Expression:
        """Test text whose values are listed: push it as it is, or else as one of those that satisfy it.

        The order of text is a matter of collation, which nobody tells of a service that ignores case.
        """
        read = field.read if field else str
        fitting = [entry for entry in entries if holds(test, read(entry))]
        folded = [entry for entry in entries if holds(replace(test, casei=True), read(entry))]
        if self.habits.caseless and fitting != folded:
            raise _refused(
                test, f"it compares without regard to case. Ask with CASEI, or for {_some(folded)}."
            )
        unordered = test.op in ("=", "<>") or not self.habits.caseless
        if field is None and unordered and self._takes(test):
            return self._native(test, name, test.value)
        return either([_node("=", name, entry) for entry in fitting])

    def _text(self, test: Predicate, name: str, field: Field | None) -> Expression:
        """Test text of which no values are listed."""
        if not self.habits.caseless or test.casei:
            return self._native(test, name, test.value)
        if field is None or field.case is None or test.op != "=":
            raise _refused(test, "it compares without regard to case. Ask with CASEI.")
        if test.value != getattr(test.value, field.case)():
            return False
        return self._native(test, name, test.value)

    def _takes(self, test: Predicate) -> bool:
        """Tell whether the upstream answers an operator as it is meant."""
        folds = self.habits.caseless or "casei" in self.habits.operators
        return test.op in self.habits.operators and (not test.casei or folds)

    def _native(self, test: Predicate, name: str, value: Any) -> Json:
        if not self._takes(test):
            raise _refused(test, "the upstream cannot answer this exactly.")
        node = _node(test.op, name, value, casei=test.casei and not self.habits.caseless)
        return {"op": "not", "args": [node]} if test.negated else node


def both(expressions: list[Expression]) -> Expression:
    """Join what must all hold."""
    kept = [part for part in expressions if part is not True]
    return False if False in kept else _joint("and", kept) if kept else True


def either(expressions: list[Expression]) -> Expression:
    """Join what must hold once."""
    kept = [part for part in expressions if part is not False]
    return True if True in kept else _joint("or", kept) if kept else False


def _joint(op: str, parts: list[Any]) -> Json:
    return parts[0] if len(parts) == 1 else {"op": op, "args": parts}


def _node(op: str, name: str, value: Any, *, casei: bool = False) -> Json:
    if op == "isnull":
        return {"op": "isNull", "args": [{"property": name}]}
    args = [{"property": name}, value]
    return {"op": _SPELLED.get(op, op), "args": [_folded(arg) for arg in args] if casei else args}


_SPELLED = {"a_containedby": "a_containedBy"}


def _folded(arg: Any) -> Json:
    return {"op": "casei", "args": [arg]}


def _check_kind(test: Predicate, schema: Json) -> None:
    wanted = (list,) if test.op in ARRAYS else _KINDS.get(str(schema.get("type", "string")), (object,))
    if not isinstance(test.value, wanted) or (isinstance(test.value, bool) and bool not in wanted):
        raise unsupported(f"{test.name!r} {test.op}: {test.value!r} is not of type {schema.get('type')}.")


def _whole(value: Any) -> Any:
    """Return a whole number without a fraction, which the parser of CQL2 gives to all numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _refused(test: Predicate, reason: str) -> UnsupportedFilter:
    operator = f"not {test.op}" if test.negated else test.op
    return unsupported(f"{test.name!r} {operator} {test.value!r}: {reason}")


def _some(values: list[Any]) -> str:
    return ", ".join(map(repr, values[:10])) or "one of its listed values"


def _joined(one: Json, other: Json) -> Json:
    """Return a schema with the values of both; without any, where one of them lists none."""
    if "enum" in one and "enum" in other:
        return {**one, "enum": list(dict.fromkeys([*one["enum"], *other["enum"]]))}
    return {name: value for name, value in one.items() if name != "enum"}
