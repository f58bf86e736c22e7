"""Conditions as CQL2 JSON in the words of one STAC API: exactly, or wider and named as checked on each Item.

Which names its filters take is read from its queryables (a `Vocabulary`), since names move: where items say
`product:type`, filters have been `productType` and `product:type`. Some compare text without regard to case,
which is not what `=` means in CQL2. There a test of text is exact where the values that the queryables list
(`enum`) leave no doubt, or where all values are known to be in one case.

A test that cannot be pushed is left out, which is wider wherever it stands: conditions have no `not` but in
tests. What a property is called that the queryables do not list is not known, nor that no item has it.

What only filters know (`foreign`) is what they make of it: with a service that ignores case, text of it has
none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stacbridge.cql.conditions import LISTS, And, Condition, Or, Predicate, conjuncts, moment, unsupported
from stacbridge.cql.evaluate import holds
from stacbridge.dialects.checked import told
from stacbridge.dialects.stac_expressions import Expression, both, either, node
from stacbridge.errors import UnsupportedFilter
from stacbridge.mapping.passthrough import Field, Habits
from stacbridge.model import Json

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "array": (list,),
}

_SOME: dict[str, Any] = {"string": "-", "number": 0, "integer": 0, "boolean": True, "array": []}
_SOME_TIME = "2000-01-01T00:00:00Z"
"""Some value of each kind."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The properties that filters may name, as JSON Schemas by the upstream's names."""

    schemas: Mapping[str, Json]

    def meet(self, other: "Vocabulary") -> "Vocabulary":
        """Return what two collections have in common, with the values of both."""
        both = self.schemas.keys() & other.schemas.keys()
        return Vocabulary({name: _joined(self.schemas[name], other.schemas[name]) for name in both})


@dataclass(frozen=True, slots=True)
class Part:
    """A condition that must hold, what is asked of it, and what of it is to be checked."""

    condition: Condition
    expression: Expression
    checked: tuple[str, ...] = ()


@dataclass(slots=True)
class Wording:
    """How one API words filters on some of its collections.

    `foreign` is what only filters know; `checked` are the conditions left out so far, or asked more widely.
    """

    habits: Habits
    fields: Mapping[str, Field]
    vocabulary: Vocabulary
    foreign: frozenset[str] = frozenset()
    checked: list[str] = field(default_factory=list)

    def parts(self, condition: Condition) -> "list[Part]":
        """Return what must all hold as CQL2 JSON, each on its own."""
        found = []
        for part in conjuncts(condition):
            before = len(self.checked)
            expression = self.write(part)
            found.append(Part(part, expression, tuple(self.checked[before:])))
        return found

    def write(self, condition: Condition) -> Expression:
        """Return a condition, or a wider one, as CQL2 JSON."""
        if isinstance(condition, bool):
            return condition
        if isinstance(condition, And | Or):
            join = both if isinstance(condition, And) else either
            return join([self.write(part) for part in condition.parts])
        try:
            found = self._test(condition) if isinstance(condition, Predicate) else None
        except UnsupportedFilter:
            found = None
        return self._wider(condition, True) if found is None else found

    def _wider(self, condition: Condition, expression: Expression) -> Expression:
        self.checked.append(told(condition))
        return expression

    def _test(self, test: Predicate) -> Expression:
        known = self._field(test.name)
        name = self._name(test, known)
        schema = self.vocabulary.schemas.get(name, {})
        if test.name in self.foreign:
            return self._foreign(test, name, schema, known)
        converted = known is not None and known.converted and test.name == known.stac
        if test.op in ("isnull", "s_intersects"):
            return self._native(test, name, test.value)
        _check_kind(test, schema)
        if schema.get("format") == "date-time":
            return self._native(test, name, {"timestamp": moment(test.name, test.value)})
        if schema.get("type", "string") != "string":
            return self._native(test, name, _whole(test.value))
        if isinstance(entries := schema.get("enum"), list):
            return self._among(test, name, entries, known if converted else None)
        if converted:
            raise _refused(test)
        return self._text(test, name, known)

    def exactly(self, test: Predicate) -> tuple[Expression, bool]:
        """Return a test of what only filters know as CQL2 JSON, and whether that is its opposite.

        Raises `UnsupportedFilter` where the upstream answers neither.
        """
        try:
            return self._test(test), False
        except UnsupportedFilter:
            if test.op != "isnull" or test.negated:
                raise
            return self._test(replace(test, negated=True)), True

    def _foreign(self, test: Predicate, name: str, schema: Json, field: Field | None) -> Expression:
        if test.op == "isnull":
            return self._there(test, name, schema)
        if not _is_of_kind(test, schema):
            return False
        if schema.get("format") == "date-time":
            return self._native(test, name, {"timestamp": moment(test.name, test.value)})
        if schema.get("type", "string") != "string":
            return self._native(test, name, _whole(test.value))
        if field and test.op in ("=", "<>") and not test.casei and _is_of_other_case(test.value, field):
            there = Predicate(test.name, "isnull", negated=True)
            return test.op == "<>" and self._there(there, name, schema)
        folded = replace(test, casei=test.casei or self.habits.caseless)
        if self._takes(folded) or "enum" not in schema:
            return self._native(folded, name, test.value)
        return either([node("=", name, entry) for entry in schema["enum"] if holds(folded, entry)])

    def _there(self, test: Predicate, name: str, schema: Json) -> Expression:
        """Test that there is a value, or none: any is equal to another one, or is not."""
        if self._takes(test) or not test.negated:
            return self._native(test, name, None)
        value = {"timestamp": _SOME_TIME} if schema.get("format") == "date-time" else _SOME[_kind(schema)]
        return either([node(op, name, value) for op in ("=", "<>")])

    def knows(self, name: str, vocabulary: Vocabulary) -> bool:
        """Tell whether filters in a vocabulary may name a property, under any of its names."""
        field = self._field(name)
        return any(each in vocabulary.schemas for each in (name, *(field.names if field else ())))

    def _field(self, name: str) -> Field | None:
        return next((each for each in self.fields.values() if name in each.names), None)

    def _name(self, test: Predicate, field: Field | None) -> str:
        """Return what the upstream calls a property at present."""
        candidates = (test.name, *(field.names if field else ()))
        known = [name for name in candidates if name in self.vocabulary.schemas or name == "geometry"]
        if not known:
            raise _refused(test)
        return known[0]

    def _among(self, test: Predicate, name: str, entries: list[Any], field: Field | None) -> Expression:
        """Test text whose values are listed: push it as it is, or else as one of those that satisfy it.

        The order of text is a matter of collation, which nobody tells of a service that ignores case.
        """
        read = field.read if field else str
        fitting = [entry for entry in entries if holds(test, read(entry))]
        folded = [entry for entry in entries if holds(replace(test, casei=True), read(entry))]
        listed = either([node("=", name, entry) for entry in fitting])
        if self.habits.caseless and fitting != folded:
            return self._wider(test, listed)
        unordered = test.op in ("=", "<>") or not self.habits.caseless
        if field is None and unordered and self._takes(test):
            return self._native(test, name, test.value)
        return listed

    def _text(self, test: Predicate, name: str, field: Field | None) -> Expression:
        """Test text of which no values are listed."""
        if not self.habits.caseless or test.casei:
            return self._native(test, name, test.value)
        if test.op != "=":
            raise _refused(test)
        if field is None or field.case is None:
            return self._wider(test, self._native(test, name, test.value))
        if _is_of_other_case(test.value, field):
            return False
        return self._native(test, name, test.value)

    def _takes(self, test: Predicate) -> bool:
        """Tell whether the upstream answers an operator as it is meant."""
        folds = self.habits.caseless or "casei" in self.habits.operators
        return test.op in self.habits.operators and (not test.casei or folds)

    def _native(self, test: Predicate, name: str, value: Any) -> Json:
        if not self._takes(test):
            raise _refused(test)
        asked = node(test.op, name, value, casei=test.casei and not self.habits.caseless)
        return {"op": "not", "args": [asked]} if test.negated else asked


def _is_of_other_case(text: str, field: Field) -> bool:
    """Tell whether a property never is a text, as it has but one case."""
    return field.case is not None and text != getattr(text, field.case)()


def _check_kind(test: Predicate, schema: Json) -> None:
    if not _is_of_kind(test, schema):
        raise _refused(test)


def _is_of_kind(test: Predicate, schema: Json) -> bool:
    wanted = (list,) if test.op in LISTS else _KINDS.get(_kind(schema), (object,))
    return isinstance(test.value, wanted) and not (isinstance(test.value, bool) and bool not in wanted)


def _kind(schema: Json) -> str:
    return str(schema.get("type", "string"))


def _whole(value: Any) -> Any:
    """Return a whole number without a fraction, which the parser of CQL2 gives to all numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _refused(test: Predicate) -> UnsupportedFilter:
    return unsupported(f"{told(test)}: the upstream cannot answer this exactly.")


def _joined(one: Json, other: Json) -> Json:
    """Return a schema with the values of both; without any, where one of them lists none."""
    if "enum" in one and "enum" in other:
        return {**one, "enum": list(dict.fromkeys([*one["enum"], *other["enum"]]))}
    return {name: value for name, value in one.items() if name != "enum"}
