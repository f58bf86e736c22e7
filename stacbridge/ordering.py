"""The order of Items: what a search sorts them by, whoever sorts."""

from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from stacbridge import scalars
from stacbridge.model import Json, SortKey

NEWEST_FIRST = (SortKey("datetime", descending=True),)
"""The order of a search that asks for none."""

Place = tuple[tuple[bool, Any], ...]
"""Where an Item stands: for each key whether its value is missing, and the value."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Descending:
    """A value whose order is turned round."""

    value: Any

    def __lt__(self, other: "Descending") -> bool:
        return bool(other.value < self.value)


def place(item: Json, keys: tuple[SortKey, ...]) -> Place:
    """Return where an Item stands: `sorted` by it, Items are in the order of `keys`.

    Items without a value come last, whichever the direction. Items in the same place are in no order.
    """
    return tuple(_part(value(item, key.name), key.descending) for key in keys or NEWEST_FIRST)


def value(item: Json, name: str) -> Any:
    """Return what an Item is sorted by under `name`; `None` where it has nothing like it.

    `datetime` is the start of the Item's time. Times are compared as such, however they are written.
    """
    properties = item["properties"]
    if name in ("id", "collection"):
        return item.get(name)
    found = properties.get(name)
    if name == "datetime":
        found = properties.get("start_datetime") or found
    if isinstance(found, str):
        return (found[10:11] == "T" and scalars.time(found)) or found
    return found if isinstance(found, int | float) else None


def _part(found: Any, descending: bool) -> tuple[bool, Any]:
    if found is None:
        return True, 0
    comparable = (isinstance(found, str), found)
    return False, Descending(comparable) if descending else comparable
