"""URL templates of OpenSearch 1.1: parameters by namespace and name, never by the key that a server gives
them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

Name = tuple[str, str]
"""A parameter: its namespace, short where it is a well-known one, and its name within."""

_EXTENSION = re.compile(r"https?://(?:www\.)?a9\.com/-/(?:spec/)?opensearch/extensions/(\w+)/[\d.]+/?")
_CORE = re.compile(r"https?://(?:www\.)?a9\.com/-/spec/opensearch/1\.[01]/?")
_OTHERS = {
    "http://www.opengis.net/eop/2.0": "eo",
    "http://mapshup.info/-/resto/2.0/": "resto",
    "http://www.opensearch.org/Specifications/OpenSearch/Extensions/Referrer/1.0": "referrer",
}
_TOKEN = re.compile(r"\{(?:([\w.-]+):)?([\w.-]+)(\?)?\}")
_BROKEN_ESCAPE = re.compile(r"%(?=%[0-9A-Fa-f]{2})")
UNBOUND = {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"}
"""What stands for an open end where one key takes both ends of an interval."""


def short(namespace: str) -> str:
    """Return the short name of a namespace: both variants of an extension's URI (with /spec/ and without)
    have the same. Others stay as they are."""
    found = _EXTENSION.fullmatch(namespace)
    if found:
        return found[1]
    return "os" if _CORE.fullmatch(namespace) else _OTHERS.get(namespace, namespace)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One `key=value` of a template's query; `pieces` are text, name, text, name, … text."""

    key: str
    pieces: tuple[str | Name, ...]
    required: bool

    def names(self) -> Iterator[Name]:
        return (piece for piece in self.pieces if not isinstance(piece, str))

    def fill(self, values: Mapping[Name, str]) -> str | None:
        """Return the value, `None` where all that it is made of is missing."""
        names = list(self.names())
        if names and not self.required and not any(name in values for name in names):
            return None
        several = len(names) > 1
        return "".join(_filled(piece, values, several) for piece in self.pieces)


def _filled(piece: str | Name, values: Mapping[Name, str], several: bool) -> str:
    if isinstance(piece, str):
        return piece
    unbound = UNBOUND.get(piece[1], "") if several and piece[0] == "time" else ""
    return values.get(piece, unbound)


class Template:
    """A template, taken apart. `namespaces` are those of the element that holds it, by prefix."""

    def __init__(self, text: str, namespaces: Mapping[str | None, str]) -> None:
        # pycsw 2.6.2 writes `%%2B` for an escaped plus; a percent sign before an escape means nothing.
        text = _BROKEN_ESCAPE.sub("", text)
        path, _, query = text.partition("?")
        self._namespaces = namespaces
        self._path = self._pieces(path)
        self._pairs = [self._pair(pair) for pair in query.split("&") if pair]
        self.names = frozenset(
            [name for pair in self._pairs for name in pair.names()]
            + [piece for piece in self._path if not isinstance(piece, str)]
        )

    def find(self, local: str) -> Name | None:
        """Return the parameter of that local name, in whatever namespace; of several, that of the EO
        extension or else the first by alphabet."""
        found = sorted((name for name in self.names if name[1] == local), key=lambda n: (n[0] != "eo", n))
        return found[0] if found else None

    def keys(self) -> frozenset[str]:
        """Return the keys of the query."""
        return frozenset(pair.key for pair in self._pairs)

    def fill(self, values: Mapping[Name, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return URL and unescaped parameters; optional ones without a value are left out."""
        path = "".join(
            piece if isinstance(piece, str) else quote(values.get(piece, ""), safe="") for piece in self._path
        )
        filled = ((pair.key, pair.fill(values)) for pair in self._pairs)
        return path, tuple((key, value) for key, value in filled if value is not None)

    def _pair(self, text: str) -> _Pair:
        key, _, value = text.partition("=")
        pieces = tuple(
            unquote_plus(piece) if isinstance(piece, str) else piece for piece in self._pieces(value)
        )
        required = any(not optional for *_, optional in _TOKEN.findall(value))
        return _Pair(unquote_plus(key), pieces, required)

    def _pieces(self, text: str) -> tuple[str | Name, ...]:
        pieces: list[str | Name] = []
        end = 0
        for token in _TOKEN.finditer(text):
            pieces += [text[end : token.start()], self._name(token[1], token[2])]
            end = token.end()
        return (*pieces, text[end:])

    def _name(self, prefix: str | None, local: str) -> Name:
        """Resolve a parameter: without a prefix it is the core's; an undeclared one stands for itself."""
        if prefix is None:
            return "os", local
        return short(self._namespaces.get(prefix, prefix)), local
