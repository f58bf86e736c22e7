"""JSON with slots, serialised once: what thousands of Items share is copied, what differs is put between.

A template is made from ordinary JSON whose strings hold `slot("name")` marks; a string that is nothing but
`raw("name")` becomes a bare JSON value. It is compiled to an f-string, the fastest way there is to put texts
together. Rendering needs, for each slot, text that is escaped already.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
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
        names = sorted(
            {bare or within for bare, within in _SLOT.findall(text + "".join(runs))} - {*runs.values()}
        )
        self._given = (
            itemgetter(*names) if len(names) > 1 else lambda values: [values[name] for name in names]
        )
        self._runs = _compiled(names, ast.Tuple([_joined(run) for run in runs], ast.Load()))
        self._whole = _compiled([*names, *runs.values()], _joined(text))

    def render(self, values: Mapping[str, str]) -> str:
        """Return the JSON text with each slot filled."""
        given = self._given(values)
        text: str = self._whole(*given, *self._runs(*given))
        return text


def _joined(text: str) -> ast.expr:
    """Return the f-string of a text with marks."""
    # split() yields text, name of a bare value or None, name of a text or None, text, …
    pieces = _SLOT.split(text)
    parts: list[ast.expr] = [ast.Constant(pieces[0])]
    for bare, within, following in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        parts += [ast.FormattedValue(ast.Name(bare or within, ast.Load()), -1), ast.Constant(following)]
    return ast.JoinedStr(parts)


def _compiled(names: Sequence[str], expression: ast.expr) -> Callable[..., Any]:
    """Return the function of these arguments that an expression defines."""
    arguments = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
    tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, expression)))
    function: Callable[..., Any] = eval(compile(tree, "<template>", "eval"))
    return function


def _mark(name: str) -> str:
    return f"\\u0000{name}\\u0000"
