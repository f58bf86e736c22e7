"""JSON with slots, serialised once: what thousands of Items share is copied, what differs is put between.

A template is made from ordinary JSON whose strings hold `slot("name")` marks; a string that is nothing but
`raw("name")` becomes a bare JSON value. Rendering needs, for each slot, text that is escaped already.
"""

import re
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import orjson

_SLOT = re.compile(r'"\\u0001(\w+)\\u0001"|\\u0000(\w+)\\u0000')
_RUN = re.compile(r"\\u0000\w+\\u0000(?:[-_]\\u0000\w+\\u0000)+")


def slot(name: str) -> str:
    """Return the mark that a text takes within a string."""
    return f"\0{name}\0"


def raw(name: str) -> str:
    """Return the string that a bare JSON value takes the place of."""
    return f"\1{name}\1"


def escaped(text: str) -> str:
    """Return a text as it stands inside a JSON string."""
    return orjson.dumps(text)[1:-1].decode()


class Template:
    """Serialised JSON with slots."""

    def __init__(self, value: Any) -> None:
        runs: dict[str, str] = {}
        # Runs of slots, as in file names, recur in most hrefs; each is put together only once.
        text = _RUN.sub(
            lambda found: _mark(runs.setdefault(found[0], f"_{len(runs)}")), orjson.dumps(value).decode()
        )
        self._whole = _Pieces(text)
        self._runs = [(name, _Pieces(run)) for run, name in runs.items()]

    def render(self, values: Mapping[str, str]) -> str:
        """Return the JSON text with each slot filled."""
        if self._runs:
            values = {**values, **{name: run.join(values) for name, run in self._runs}}
        return self._whole.join(values)


class _Pieces:
    """Text, slot, text, slot, … text."""

    def __init__(self, text: str) -> None:
        pieces = _SLOT.split(text)
        # split() yields text, name of a bare value or None, name of a text or None, text, …
        self._pieces = [pieces[0]]
        slots: list[str] = []
        for bare, within, following in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            slots.append(bare or within)
            self._pieces += ["", following]
        self._get = (
            itemgetter(*slots, *slots[:1]) if slots else None
        )  # of two or more, so that it gives a tuple

    def join(self, values: Mapping[str, str]) -> str:
        pieces = self._pieces.copy()
        if self._get:
            pieces[1::2] = self._get(values)[:-1]
        return "".join(pieces)


def _mark(name: str) -> str:
    return f"\\u0000{name}\\u0000"
