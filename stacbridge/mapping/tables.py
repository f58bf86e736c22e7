"""Reading TOML that must make sense: every key known and of its type, else a failure naming file and key."""

import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from stacbridge.errors import Misconfigured

T = TypeVar("T")


@dataclass(slots=True)
class Table:
    """One table of a TOML file. Members are taken by name and type; `done` refuses what nobody took."""

    file: str
    where: str
    members: dict[str, Any]
    taken: set[str] = field(default_factory=set)

    def wrong(self, key: str, problem: str) -> Misconfigured:
        """Make the failure of `key`."""
        place = f"{self.where}.{key}" if self.where else key
        return Misconfigured(f"{self.file}: {place}: {problem}")

    def take(self, key: str, kind: type[T]) -> T:
        """Return a member that must be there, and be a `kind`."""
        value = self.optional(key, kind)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def optional(self, key: str, kind: type[T]) -> T | None:
        """Return a member that must be a `kind`, or nothing where it is absent."""
        self.taken.add(key)
        if key not in self.members:
            return None
        value = self.members[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise self.wrong(key, f"must be of type {kind.__name__}, not {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a member that is a string or a list of them; empty where absent."""
        value = self.optional(key, object) or ()
        values = (
            (value,)
            if isinstance(value, str)
            else tuple(value)
            if isinstance(value, list | tuple)
            else (None,)
        )
        if not all(isinstance(text, str) for text in values):
            raise self.wrong(key, f"must be a string or a list of strings, not {value!r}")
        return values

    def choice(self, key: str, choices: Collection[str]) -> str | None:
        """Return a member that must be one of `choices`, or nothing where it is absent."""
        value = self.optional(key, str)
        if value is not None and value not in choices:
            raise self.wrong(key, f"{value!r} is none of {', '.join(choices)}")
        return value

    def table(self, key: str) -> "Table":
        """Return a table within this one; empty where absent."""
        return Table(self.file, f"{self.where}.{key}".lstrip("."), self.optional(key, dict) or {})

    def tables(self, key: str) -> Iterator["Table"]:
        """Iterate over an array of tables within this one; none where absent."""
        for number, members in enumerate(self.optional(key, list) or []):
            where = f"{self.where}.{key}[{number}]".lstrip(".")
            if not isinstance(members, dict):
                raise self.wrong(key, "must be an array of tables")
            yield Table(self.file, where, members)

    def matches(self, key: str) -> dict[str, frozenset[Any]]:
        """Return a table of attribute name to one value or a list of them, as sets."""
        rest = self.optional(key, dict) or {}
        return {
            name: frozenset(value if isinstance(value, list) else [value]) for name, value in rest.items()
        }

    def strings(self) -> dict[str, str]:
        """Return all members, which must be strings."""
        return {key: self.take(key, str) for key in self.members}

    def integers(self) -> dict[str, int]:
        """Return all members, which must be whole numbers."""
        return {key: self.take(key, int) for key in self.members}

    def done(self) -> None:
        """Refuse members that nobody took."""
        for key in self.members:
            if key not in self.taken:
                raise self.wrong(key, "is not a key of this table")


def read(file: Path | Traversable) -> Table:
    """Parse one TOML file."""
    try:
        return Table(file.name, "", tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file.name}: {error}") from error
