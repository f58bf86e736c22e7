"""The rows of a collection, compiled to read the properties of one record after another, fast."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from stacbridge.mapping.rows import Row
from stacbridge.model import Json

Read = Callable[..., Any]
Path = tuple[str, str]
"""A member of a record, and the member within it, or nothing."""

_ATTRIBUTES = "Attributes"
_PLAIN: dict[str, type] = {"String": str, "Integer": int, "Double": float, "Boolean": bool}
_REMEMBERED = 256
"""Combinations of recurring texts at most, of which a collection has some dozens."""


class Reader:
    """Reads properties: all that recurring texts decide at once, those of one attribute, those of one other
    member of the record, and composed ones."""

    def __init__(self, rows: Iterable[Row], constants: Json) -> None:
        self._constants = constants
        self._texts: dict[str, int] = {}
        self._recurring: list[tuple[str, list[int], Read]] = []
        self._attributes: list[tuple[str, str, type | None, Read]] = []
        self._members: list[tuple[str, str, Read, list[str]]] = []
        self._composed: list[tuple[str, list[Path], bool, Read]] = []
        for row in rows:
            self._add(row, [_split(path) for path in row.paths])
        own = [name for name, *_ in (*self._attributes, *self._composed)]
        self._room = dict.fromkeys([*own, *(name for *_, names in self._members for name in names)])
        self._remembered = lru_cache(_REMEMBERED, typed=True)(self._read_recurring)

    def _add(self, row: Row, paths: list[Path]) -> None:
        (key, within), *others = paths
        if row.recurs and all(key == _ATTRIBUTES for key, _ in paths):
            places = [self._texts.setdefault(name, len(self._texts)) for _, name in paths]
            self._recurring.append((row.stac, places, row.read))
        elif others or row.members:
            self._composed.append((row.stac, paths, bool(row.members), row.read))
        elif key == _ATTRIBUTES:
            self._attributes.append((row.stac, within, _PLAIN.get(row.type) if row.plain else None, row.read))
        else:
            self._add_member(key, within, row)

    def _add_member(self, key: str, within: str, row: Row) -> None:
        for *same, names in self._members:
            if same == [key, within, row.read]:
                names.append(row.stac)
                return
        self._members.append((key, within, row.read, [row.stac]))

    def read(self, record: Json) -> Json:
        """Return the properties of a record: the constants, and what its values read to."""
        get = record[_ATTRIBUTES].get
        try:
            properties = self._remembered(*map(get, self._texts)).copy()
        except TypeError:  # an attribute of a malformed record is a list or an object
            properties = self._read_recurring(*map(get, self._texts))
        for name, key, plain, read in self._attributes:
            value = get(key)
            if (value.__class__ is plain and value != "") or (
                value is not None and (value := read(value)) is not None
            ):
                properties[name] = value
            else:
                del properties[name]
        self._read_members(record.get, properties)
        if self._composed:
            self._read_composed(record, properties)
        return properties

    def _read_recurring(self, *texts: Any) -> Json:
        """Return the constants, what these texts read to, and room for all other properties."""
        properties = self._constants.copy()
        for name, places, read in self._recurring:
            found = [texts[place] for place in places]
            if None not in found and (value := read(*found)) is not None:
                properties[name] = value
        return properties | self._room

    def _read_members(self, get: Callable[[str], Any], properties: Json) -> None:
        for key, within, read, names in self._members:
            value = get(key)
            if within:
                value = value.get(within) if value.__class__ is dict else None
            if value is not None and (value := read(value)) is not None:
                for name in names:
                    properties[name] = value
            else:
                for name in names:
                    del properties[name]

    def _read_composed(self, record: Json, properties: Json) -> None:
        for name, paths, partial, read in self._composed:
            found = [_at(record, key, within) for key, within in paths]
            if (partial or None not in found) and (value := read(*found)) is not None:
                properties[name] = value
            else:
                del properties[name]


def _split(path: str) -> Path:
    key, _, within = path.partition("/")
    return key, within


def _at(record: Json, key: str, within: str) -> Any:
    value = record.get(key)
    if not within:
        return value
    return value.get(within) if value.__class__ is dict else None
