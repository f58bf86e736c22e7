"""The collections of a catalogue, compiled: which one a record belongs to, and what makes its Items."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from stacbridge.mapping import families
from stacbridge.mapping.families import Collection
from stacbridge.mapping.items import Builder, Frame
from stacbridge.model import Json


class Roster:
    """Collections by id, and how to tell their records. Never changes, so threads may share it."""

    def __init__(self, specs: Iterable[Collection], frame: Frame) -> None:
        self.specs = {spec.id: spec for spec in specs}
        self.builders = {id: Builder(spec, frame) for id, spec in self.specs.items()}
        self._classes = _Classes(self.specs.values())

    def classify(self, record: Json) -> str | None:
        """Return the id of the collection that a record belongs to."""
        return self._classes.find(record.get("Attributes"))


class _Classes:
    """Tells the collection of a record by its attributes: one of them narrows first, `productType` where
    collections match it, since nearly all records name it. What a few attributes decide is remembered."""

    _FIRST = "productType"
    _REMEMBERED = 1024

    def __init__(self, specs: Iterable[Collection]) -> None:
        self._by_first: dict[str, dict[object, list[Collection]]] = {}
        self._others: list[Collection] = []
        self._names: dict[str, None] = {}
        self._remembered = lru_cache(self._REMEMBERED)(self._find)
        for spec in specs:
            self._names.update(dict.fromkeys([*spec.match, *spec.family_match]))
            first = self._FIRST if self._FIRST in spec.match else next(iter(spec.match), None)
            if first is None:
                self._others.append(spec)
                continue
            for value in spec.match[first]:
                self._by_first.setdefault(first, {}).setdefault(value, []).append(spec)

    def find(self, attributes: object) -> str | None:
        if not isinstance(attributes, dict):
            return None
        try:
            return self._remembered(*map(attributes.get, self._names))
        except TypeError:  # an attribute of a malformed record is a list or an object
            return self._find(*map(attributes.get, self._names))

    def _find(self, *values: Any) -> str | None:
        attributes = dict(zip(self._names, values, strict=True))
        for name, by_value in self._by_first.items():
            value = attributes.get(name)
            for spec in by_value.get(value, ()) if isinstance(value, str | int | float) else ():
                if families.matches(spec, attributes):
                    return spec.id
        return next((spec.id for spec in self._others if families.matches(spec, attributes)), None)
