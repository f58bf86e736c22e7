"""The rows of a collection, compiled to read the properties of one record after another, fast."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from stacbridge.mapping.rows import Row
from stacbridge.model import Json

Read = Callable[..., Any]
_PLAIN: dict[str, type] = {"String": str, "Integer": int, "Double": float, "Boolean": bool}


class Reader:
    """Reads properties: those of one attribute, those of one other member of the record, and composed
    ones."""

    def __init__(self, rows: Iterable[Row], constants: Json) -> None:
        self._constants = constants
        self._attributes: list[tuple[str, str, type | None, Read, Read]] = []
        self._members: dict[tuple[str, str, Read], list[str]] = {}
        self._composed: list[tuple[str, list[tuple[str, str]], bool, Read, Read]] = []
        for row in rows:
            self._add(row, [_split(path) for path in row.paths])

    def _add(self, row: Row, paths: list[tuple[str, str]]) -> None:
        # Texts recur from record to record, so what they read to is remembered.
        text = lru_cache(maxsize=1024)(row.read) if row.type == "String" else row.read
        if len(paths) > 1 or row.members:
            self._composed.append((row.stac, paths, bool(row.members), text, row.read))
        elif paths[0][0] != "Attributes":
            self._members.setdefault((*paths[0], row.read), []).append(row.stac)
        else:
            plain = _PLAIN.get(row.type) if row.plain else None
            self._attributes.append((row.stac, paths[0][1], plain, text, row.read))

    def read(self, record: Json) -> Json:
        """Return the properties of a record: the constants, and what its values read to."""
        properties = self._constants.copy()
        self._read_attributes(record["Attributes"].get, properties)
        for (key, within, read), names in self._members.items():
            value = _at(record, key, within)
            if value is not None:
                value = read(value)
                if value is not None:
                    for name in names:
                        properties[name] = value
        if self._composed:
            self._read_composed(record, properties)
        return properties

    def _read_attributes(self, get: Callable[[str], Any], properties: Json) -> None:
        for name, key, plain, text, read in self._attributes:
            value = get(key)
            if value.__class__ is not plain:
                if value is None:
                    continue
                value = text(value) if value.__class__ is str else read(value)
                if value is None:
                    continue
            elif value == "":
                continue
            properties[name] = value

    def _read_composed(self, record: Json, properties: Json) -> None:
        for name, paths, partial, text, read in self._composed:
            found = [_at(record, key, within) for key, within in paths]
            if partial or None not in found:
                value = text(*found) if all([part.__class__ is str for part in found]) else read(*found)
                if value is not None:
                    properties[name] = value


def _split(path: str) -> tuple[str, str]:
    key, _, within = path.partition("/")
    return key, within


def _at(record: Json, key: str, within: str) -> Any:
    value = record.get(key)
    if not within:
        return value
    return value.get(within) if value.__class__ is dict else None
