"""Where a walk stands, as values that a page token can hold.

    {"steps": {"5f3a": {"s": 100, "h": 1714521600000000, "w": ["2024-…", null], "f": "9c", "q": {…}},
               "77e0": null},
     "parts": [["5f3a", {"s": 40, "p": ["02", {…}], …}], …]}

By the name of each step of the search (see `plan`) that was begun: `s` is how many records were given of it,
`h` a time (microseconds since 1970) before which, in the order of the walk, none is left, `w` the window of
time (see `windows`), `f` a mark of the page that was last asked for, `q` the parameters that the service
wants in the next request where it pages by links alone. `null` stands for a step that has ended. `parts` are
those that a window of a step had to be split into and that have not ended; `p` says which part it is (see
`parts`). Beside them, `d` are the seconds that the last page went over. No URL is ever part of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stacbridge import scalars
from stacbridge.dialects.opensearch.parts import Part
from stacbridge.dialects.opensearch.windows import Window
from stacbridge.errors import BadRequest
from stacbridge.model import Json

WHOLE = Window()
"""The window of a search whose time is not split."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where one step goes on; see the module."""

    given: int = 0
    window: Window = WHOLE
    first: str | None = None
    following: Mapping[str, str] = field(default_factory=dict)
    head: int | None = None
    part: Part | None = None

    def next_window(self, window: Window) -> "Position":
        """Return the start of another window of the same step."""
        return replace(Position(head=self.head), window=window)


START = Position()
"""The start of a step."""


def steps(value: Json | None) -> dict[str, Position | None]:
    """Return where each step stands that was begun. Raises `BadRequest`."""
    if value is None:
        return {}
    if not isinstance(value.get("steps"), dict):
        raise _unreadable()
    return {name: _read(each) for name, each in value["steps"].items()}


def parts(value: Json | None) -> list[tuple[str, Position]]:
    """Return where each part of a step stands, by the name of its step. Raises `BadRequest`."""
    try:
        found = [(name, _read(each)) for name, each in (value or {}).get("parts", ())]
    except (TypeError, ValueError):
        raise _unreadable() from None
    return [(name, at) for name, at in found if at is not None]


def written(stands: Mapping[str, Position | None], parts: Iterable[tuple[str, Position]] = ()) -> Json:
    """Return where steps and parts of them stand as JSON, but for steps not begun."""
    found: Json = {"steps": {name: _write(at) for name, at in stands.items() if at != START}}
    under_way = [[name, _write(at)] for name, at in parts]
    return {**found, "parts": under_way} if under_way else found


def _read(value: Any) -> Position | None:
    if value is None:
        return None
    given = value.get("s", 0) if isinstance(value, dict) else None
    if type(given) is not int or given < 0:
        raise _unreadable()
    start, end = (scalars.instant(moment) for moment in value.get("w", (None, None)))
    part = None if "p" not in value else _part(value["p"])
    return Position(given, Window(start, end), value.get("f"), value.get("q", {}), value.get("h"), part)


def _part(value: Any) -> Part:
    try:
        path, values = value
        return Part(str(path), tuple(values.items()))
    except (AttributeError, TypeError, ValueError):
        raise _unreadable() from None


def _write(position: Position | None) -> Json | None:
    if position is None:
        return None
    found: Json = {"s": position.given}
    window = position.window
    if window != WHOLE:
        found["w"] = [
            None if moment is None else scalars.rfc3339(moment) for moment in (window.start, window.end)
        ]
    part = position.part
    told = {
        "f": position.first,
        "q": dict(position.following) or None,
        "h": position.head,
        "p": None if part is None else [part.path, dict(part.values)],
    }
    return {**found, **{name: value for name, value in told.items() if value is not None}}


def _unreadable() -> BadRequest:
    return BadRequest("The page token does not say where the last page ended.", parameter="token")
