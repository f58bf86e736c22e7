"""Pages of a large table, in order: only as many rows are looked at as a page needs.

The order of all rows is kept for each `$orderby`. Where the filter bounds what rows are sorted by, as the
walk through a deep archive does, only the rows between are gone through, in blocks, until the page is full.
The whole filter is evaluated on each block, so that what is found does not depend on any of this.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from odata_query import ast

from .answers import Options, detailed
from .filters import Filter, Table
from .hashing import Rows
from .identifiers import Identifiers
from .publishing import Published
from .syntax import FilterError, flatten, kind, literal, parse, path

_BLOCK = 2048
"""How many rows are looked at first; then twice as many, and so on."""
_TURNED: dict[type, type] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
}
"""What a comparison becomes where both sides are negated."""


class Sorted(Table, Protocol):
    """What pages are found in: a table with all its rows, and their identifiers, which break ties."""

    @property
    def all_rows(self) -> Rows:
        """Every row."""

    @property
    def ids(self) -> Identifiers:
        """The identifiers of the rows."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page, whether more follow, and how many there are in all, where that was asked for."""

    rows: Rows
    more: bool
    count: int | None


@dataclass(frozen=True, slots=True)
class _Index:
    """All rows in one order, and what they are sorted by: times, negated where the latest come first."""

    rows: Rows
    keys: Rows
    path: str
    descending: bool

    def narrowed(self, conditions: list[Any]) -> Rows:
        """The rows that conditions on the path leave, in order; others may be left, too."""
        low, high = 0, len(self.rows)
        for condition in conditions:
            first, last = self._bounds(condition)
            low, high = max(low, first), min(high, last)
        return self.rows[low:high]

    def _bounds(self, node: Any) -> tuple[int, int]:
        everything = 0, len(self.rows)
        if not self._is_bound(node):
            return everything
        operator, value = type(node.comparator), literal(node.right)
        if self.descending:
            operator, value = _TURNED[operator], -value
        left, right = (int(np.searchsorted(self.keys, value, side)) for side in ("left", "right"))
        bounds = {
            ast.Lt: (0, left),
            ast.LtE: (0, right),
            ast.Gt: (right, everything[1]),
            ast.GtE: (left, everything[1]),
            ast.Eq: (left, right),
        }
        return bounds[operator]

    def _is_bound(self, node: Any) -> bool:
        return (
            isinstance(node, ast.Compare)
            and type(node.comparator) in _TURNED
            and isinstance(node.left, ast.Identifier | ast.Attribute)
            and path(node.left) == self.path
            and kind(node.right) == "time"
        )


class Finder:
    """Finds the pages of one table; `orderable` are the paths that it can be sorted by."""

    def __init__(
        self, table: Sorted, filter: Filter, orderable: frozenset[str], published: Published | None = None
    ) -> None:
        self._table, self._filter, self._orderable = table, filter, orderable
        self._published = published
        self._indexes: dict[str, _Index] = {}

    def find(self, options: Options) -> Found:
        """The page that a request asks for. Raises `Refused`."""
        try:
            tree = parse(options.filter) if options.filter else None
            index = self._index(options.orderby or "")
            rows = index.narrowed(flatten(tree, ast.And) if tree is not None else [])
            return self._page(rows, tree, options)
        except FilterError as error:
            raise detailed(400, str(error)) from error

    def _page(self, rows: Rows, tree: Any, options: Options) -> Found:
        end = options.skip + options.top
        block = len(rows) if options.count else max(_BLOCK, 2 * end)
        found, at = np.empty(0, dtype=np.int64), 0
        while True:
            found = np.concatenate([found, self._passing(rows[at : at + block], tree)])
            at += block
            if len(found) > end or at >= len(rows):
                break
            block *= 2
        return Found(found[options.skip : end], len(found) > end, len(found) if options.count else None)

    def _passing(self, rows: Rows, tree: Any) -> Rows:
        if self._published is not None:
            rows = rows[self._published.mask[rows]]
        return rows if tree is None else self._filter.among(tree, rows)

    def _index(self, orderby: str) -> _Index:
        if orderby not in self._indexes:
            self._indexes[orderby] = self._sorted(orderby)
        return self._indexes[orderby]

    def _sorted(self, orderby: str) -> _Index:
        rows = self._table.all_rows
        ids = self._table.ids.keys(rows)
        if not orderby:
            order = np.argsort(ids, kind="stable")
            return _Index(rows[order], ids[order], "", descending=False)
        by, _, direction = orderby.partition(" ")
        if by not in self._orderable or direction.strip() not in ("", "asc", "desc"):
            raise detailed(400, f"Invalid field: $orderby {orderby}")
        descending = direction.strip() == "desc"
        times = self._table.column(by, rows)
        keys = -times if descending else times
        order = np.lexsort((ids, keys))
        return _Index(rows[order], keys[order], by, descending)
