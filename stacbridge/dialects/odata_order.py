"""The order of a walk through an entity set, and where the walk has come to.

    position = {"t": …, "n": …, "i": …, "w": [[…, …], …], "s": [[…, […, …]], …]}

`t` is the time of the last entity given, `n` how many of exactly that time were given; without `n`, all were.
`i` is its id: other entities of the time may have come or gone since, and it, too.
Entities of one time are a run. One that is longer than `$skip` reaches is walked by itself, sorted by another
time: `w` are the runs that the walk is within, from the outermost, each with its time and how many of its
entities were given before. Where no time is left to tell them apart, names do: `s` are the beginnings of
names that the walk is within, from the outermost, each with what follows it in names that were walked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple, Self

from stacbridge import scalars
from stacbridge.dialects.odata_text import Text, both, quoted
from stacbridge.errors import BadRequest
from stacbridge.model import Json

ROUNDING = timedelta(seconds=1)


class Run(NamedTuple):
    """The entities of one time that are walked by themselves; `given` of them were given before."""

    time: str
    given: int


class Stem(NamedTuple):
    """The entities whose names begin with `text`, but for those that go on with one of `done`."""

    text: str = ""
    done: tuple[str, ...] = ()

    def condition(self) -> Text:
        """Return the test of a name. The documented `startswith` needs no order of names, which is not
        known."""
        begins: list[Text] = [_begins(self.text)] if self.text else []
        return both([*begins, *[f"not {_begins(self.text + end)}" for end in self.done]])

    def within(self, text: str) -> "Stem":
        """Return what is left of the names that begin with a longer text."""
        walked = [self.text + end for end in self.done]
        return Stem(text, tuple(name.removeprefix(text) for name in walked if name.startswith(text)))

    def without(self, inner: "Stem") -> "Stem":
        """Return what is left when the names of a stem within it have been walked."""
        further = inner.text.removeprefix(self.text)
        return Stem(self.text, (*(end for end in self.done if not end.startswith(further)), further))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk has come to: within these runs and stems, behind `given` entities of `time` (0: all of
    them), of which the last had the id `last`."""

    within: tuple[Run, ...] = ()
    time: str | None = None
    given: int = 0
    stems: tuple[Stem, ...] = ()
    last: str | None = None

    @classmethod
    def read(cls, position: Json | None) -> Self:
        """Read a position. Raises `BadRequest` for what is none."""
        if not position:
            return cls()
        try:
            within = tuple(Run(_time(time), _count(given)) for time, given in position.get("w", ()))
            stems = tuple(Stem(_text(text), tuple(map(_text, done))) for text, done in position.get("s", ()))
            time = _time(position["t"]) if "t" in position else None
            last = _text(position["i"]) if "i" in position else None
            return cls(within, time, _count(position.get("n", 0)), stems, last)
        except (TypeError, ValueError):
            raise BadRequest(
                "The page token does not say where the last page ended.", parameter="token"
            ) from None

    def position(self) -> Json:
        """Write the place for a cursor."""
        found: Json = {"w": [list(run) for run in self.within]} if self.within else {}
        if self.time is not None:
            found["t"] = self.time
        if self.given:
            found["n"] = self.given
        if self.last is not None:
            found["i"] = self.last
        if self.stems:
            found["s"] = [[stem.text, list(stem.done)] for stem in self.stems]
        return found

    def given_of(self, time: str) -> int:
        """Return how many entities of a time were given before this place; not for times before it."""
        return self.given if time == self.time else 0

    def behind(self, times: Sequence[str], last: str | None) -> Self:
        """Return the place behind further entities, of these times (at least one); `last` is the last one's
        id."""
        time = times[-1]
        same = sum(1 for _ in takewhile(time.__eq__, reversed(times)))
        return replace(self, time=time, given=same + self.given_of(time), last=last)

    def inside(self, run: Run) -> Self:
        """Return the start of the walk through a run."""
        return type(self)((*self.within, run))

    def among(self, text: str) -> Self:
        """Return the start of the walk through the entities here whose names begin with a text."""
        outer = self.stems or (Stem(),)
        return type(self)(self.within, stems=(*outer, outer[-1].within(text)))

    def outside(self) -> Self | None:
        """Return the place behind the stem or run that the walk is within, `None` where it is within none."""
        if len(self.stems) > 1:
            *outermost, outer, inner = self.stems
            return type(self)(self.within, stems=(*outermost, outer.without(inner)))
        if not self.within:
            return None
        *runs, run = self.within
        return type(self)(tuple(runs), run.time)


@dataclass(frozen=True, slots=True)
class Order:
    """What entities are sorted by: the first path, and within runs the others in turn, then ascending."""

    paths: tuple[str, ...]
    descending: bool

    def alike(self, place: Place) -> bool:
        """Tell whether the entities at a place have all their times in common."""
        return len(place.within) >= len(self.paths)

    def path(self, place: Place) -> str:
        """Return what entities at a place are sorted by; those alike by any time, and so by their ids."""
        return self.paths[min(len(place.within), len(self.paths) - 1)]

    def orderby(self, place: Place) -> str:
        """Return `$orderby` for the entities at a place."""
        return f"{self.path(place)} {'desc' if self._descends(place) else 'asc'}"

    def condition(self, place: Place) -> Text:
        """Return the test of all entities from a place on; the first `place.given` of them are to be
        skipped."""
        runs: list[Text] = [
            f"{path} eq {run.time}" for path, run in zip(self.paths, place.within, strict=False)
        ]
        runs += [stem.condition() for stem in place.stems[-1:]]
        if place.time is None:
            return both(runs)
        operator = ("l" if self._descends(place) else "g") + ("e" if place.given else "t")
        return both([*runs, f"{self.path(place)} {operator} {place.time}"])

    def goes_back(self, place: Place, time: str) -> bool:
        """Tell whether an entity of that time comes before a place, by more than times are rounded."""
        if place.time is None:
            return False
        ahead = datetime.fromisoformat(time) - datetime.fromisoformat(place.time)
        return (-ahead if self._descends(place) else ahead) < -ROUNDING

    def _descends(self, place: Place) -> bool:
        return self.descending and not place.within


def _time(value: object) -> str:
    found = scalars.time(value)
    if found is None:
        raise ValueError(value)
    return found


def _begins(text: str) -> str:
    return f"startswith(Name,{quoted(text)})"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(value)
    return value
