"""More records in a moment than can be read at once, of an upstream that does not sort: walked instant after
instant, and each instant cell after cell (see `cells`).

    position = {"t": …, "w": …, "i": …, "e": "2024-05-01T00:00:01.999999Z", "c": "0213", "n": …, "b": …}

`t` and `i` are as in a window's position: the instant that is walked, and the last id given of it in the cell
`c`. The moment ends with `e`, itself included. `n` is the next instant among the records seen so far. A cell
is given whole before the next one is read, so that neither memory nor position grow with the crowd.

Which of a moment's instants comes first is known when all its records have been seen. Where that would take
long, and the first answer has but one instant, that is taken for it: a single one, such as midnight, is what
crowds are of. `b` is then where the moment begins, and a record between it and that instant, which would come
too late, is an error.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from stacbridge import scalars
from stacbridge.dialects.cells import Cell
from stacbridge.dialects.sedas_windows import Window, moment
from stacbridge.errors import BadRequest
from stacbridge.model import Json


class Placed(NamedTuple):
    """A record, and where it comes: its start as the walk counts time, and its id."""

    key: int
    id: str
    record: Json


class Jumbled(Exception):
    """A record starts before the instant that was taken for the first."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """A walk through a moment: `window` begins with the instant that is walked; see the module."""

    window: Window
    path: str = ""
    next: int | None = None
    begin: int | None = None

    @classmethod
    def resumed(cls, window: Window, position: Json) -> "Crowd":
        """Return the walk at a position, of which `window` was resumed. Raises `BadRequest`."""
        path = position.get("c")
        last, following, begin = (_key(window, position.get(name)) for name in "enb")
        if last is None or not isinstance(path, str) or not set(path) <= set("0123"):
            raise BadRequest("The page token does not say where the last page ended.", parameter="token")
        return cls(replace(window, width=last + 1 - window.at), path, following, begin)

    def position(self) -> Json:
        """Return where it goes on, for a cursor."""
        named = {"e": self.window.end - 1, "n": self.next, "b": self.begin}
        times = {name: _time(self.window, key) for name, key in named.items() if key is not None}
        return {**self.window.position(), **times, "c": self.path}

    @property
    def cell(self) -> Cell:
        """The cell to read next, of the whole world."""
        return Cell(path=self.path)

    @property
    def asked(self) -> Window:
        """The time to ask for: what is left of the moment, and what should hold nothing."""
        first = self.window.at if self.begin is None else self.begin
        return replace(self.window, at=first, width=self.window.end - first)

    def key(self, time: datetime) -> int:
        """Return a time as the walk counts it."""
        return self.window.key(time)

    def resting(self, key: int, id: str) -> "Crowd":
        """Return what is left of the walk behind a record of the instant that is walked."""
        return replace(self, window=self.window.resting(key, id))

    def inside(self, keys: Iterable[int]) -> list[int]:
        """Return those times that are in the moment."""
        return [key for key in keys if self.asked.at <= key < self.window.end]

    def narrowed(self, keys: list[int], *, few: bool = False) -> "Crowd | None":
        """Return the walk through the quarters of a cell that has too many records, some of them at these
        times, but all in all `few` enough to be looked through first; `None` where it is too small to have
        any."""
        if not self.cell.quarters():
            return None
        instants = set(self.inside(keys))
        if not self.path and not few and self.window.after is None and len(instants) == 1:
            (at,) = instants
            window = replace(self.window, at=at, width=self.window.end - at)
            return Crowd(window, "0", None, self.window.at)
        return replace(self, path=self.path + "0")

    def take(self, placed: list[Placed], room: int) -> "tuple[list[Json], Crowd | None]":
        """Return what comes next of a cell's records, up to `room` (at least one), and where the walk goes
        on, `None` behind the moment. Raises `Jumbled`."""
        keys = self.inside(each.key for each in placed)
        at, after = self.window.at, self.window.after
        if self.begin is not None and min(keys, default=at) < at:
            raise Jumbled
        found = {each.id: each.record for each in placed if each.key == at}
        here = sorted(id for id in found if after is None or id > after)
        given = [found[id] for id in here[:room]]
        if len(here) > room:
            return given, self.resting(at, here[room - 1])
        later = [key for key in (self.next, *keys) if key is not None and key > at]
        following, window = self.cell.following(), replace(self.window, after=None)
        if following is not None:
            return given, Crowd(window, following.path, min(later, default=None), self.begin)
        if not later:
            return given, None
        width = self.window.end - min(later)
        return given, Crowd(replace(window, at=min(later), width=width), "0")


def _key(window: Window, value: object) -> int | None:
    found = None if value is None else scalars.instant(value)
    if value is not None and found is None:
        raise BadRequest("The page token does not say where the last page ended.", parameter="token")
    return None if found is None else window.key(found)


def _time(window: Window, key: int) -> str:
    return scalars.rfc3339(moment(-key if window.newest_first else key))
