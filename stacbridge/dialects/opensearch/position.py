"""Where a walk stands, as a value that a page token can hold.

    {"k": 2, "s": 100, "w": ["2024-…", null], "f": "…", "q": {…}}

`k` is the step of the search (see `plan`), `s` how many records were given of it, `w` the window of time (see
`windows`), `f` the id that the last page began with, `q` the parameters that the service wants in the next
request where it pages by links alone. No URL is ever part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stacbridge import scalars
from stacbridge.dialects.opensearch.windows import Window
from stacbridge.errors import BadRequest
from stacbridge.model import Json

WHOLE = Window()
"""The window of a search whose time is not split."""


@dataclass(frozen=True, slots=True)
class Position:
    """See the module."""

    step: int = 0
    given: int = 0
    window: Window = WHOLE
    first: str | None = None
    following: Mapping[str, str] = field(default_factory=dict)

    def next_step(self) -> "Position":
        """Return the start of the next step."""
        return Position(self.step + 1)

    def next_window(self, window: Window) -> "Position":
        """Return the start of another window of the same step."""
        return replace(Position(self.step), window=window)


def read(value: Json | None) -> Position:
    """Return the position that a token holds, or the start. Raises `BadRequest`."""
    if value is None:
        return Position()
    step, given = value.get("k"), value.get("s")
    if not isinstance(step, int) or not isinstance(given, int):
        raise BadRequest("The page token does not say where the last page ended.", parameter="token")
    start, end = (scalars.instant(moment) for moment in value.get("w", (None, None)))
    return Position(step, given, Window(start, end), value.get("f"), value.get("q", {}))


def write(position: Position) -> Json:
    """Return a position as JSON."""
    found: Json = {"k": position.step, "s": position.given}
    window = position.window
    if window != WHOLE:
        found["w"] = [
            None if moment is None else scalars.rfc3339(moment) for moment in (window.start, window.end)
        ]
    if position.first is not None:
        found["f"] = position.first
    if position.following:
        found["q"] = dict(position.following)
    return found
