"""JSON with slots, serialised once: what thousands of Items share is copied, what differs is put between.

A template is made from ordinary JSON whose strings hold `slot("name")` marks; a string that is nothing but
`raw("name")` becomes a bare JSON value. Rendering needs, for each slot, text that is already escaped for JSON.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

_MARK = re.compile(r'"\\u0001(\w+)\\u0001"|\\u0000(\w+)\\u0000')


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
        pieces = _MARK.split(orjson.dumps(value).decode())
        # split() yields text, name of a bare value or None, name of a text or None, text, …
        self._pieces = [pieces[0]]
        self._slots: list[str] = []
        for bare, within, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            self._slots.append(bare or within)
            self._pieces += ["", text]

    def render(self, values: Mapping[str, str]) -> str:
        """Return the JSON text with each slot filled."""
        pieces = self._pieces.copy()
        pieces[1::2] = [values[name] for name in self._slots]
        return "".join(pieces)
