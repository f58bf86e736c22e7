"""A catalogue that is STAC already: what its API is like, and what its names are called here.

    dialect = "stac"
    [search]
    method = "GET"                    how it is searched: "GET" (default) | "POST"
    filter = "cql2-text"              language of its filters: "cql2-text" | "cql2-json" | "none" (default)
    operators = ["=", "<"]            what it answers exactly, of `OPERATORS`; default: the comparisons
    caseless = true                   it compares text without regard to case
    sortables = ["datetime"]          properties that it sorts by, `datetime` by the start; default: none. By
                                      `datetime`, items are sorted in any case, by windows of time
    foreign = ["sensorType"]          properties that its filters know and its items do not show: what these
                                      are is what the API makes of them
    parameters = {httpAccept = "…"}   sent with every search
    discover = {filter = "…"}         sent with requests for its collections
    [[search.field]]
    stac = "product:type"             property of its items
    names = ["productType"]           what its filters may call it, besides: names have moved, both are taken
    type = "String"                   upstream type, as in `rows`; title, description: for queryables
    convert = "lower"                 optional: a name of `convert.CONVERTERS`, read on items, too
    case = "upper"                    optional: its text has but one case, "upper" or "lower"

In `[limits]`: `page` items and `collections` on a page, collections `discovered` at most, characters of a
`url`, `vocabularies` (collections whose queryables one filter is looked up in), `foreign` (the same of a
filter that names what items do not show). The other tables are those of
`mapping`; collections are discovered, and Items keep what they say (see `stac_items`).
"""

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Any

from stacbridge.convert import CONVERTERS, TYPES
from stacbridge.cql.conditions import ARRAYS
from stacbridge.mapping import stac_assets, stac_collections, stac_items
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.products import Place
from stacbridge.mapping.stac_parts import Frame
from stacbridge.mapping.tables import Table
from stacbridge.model import Json, Skipped
from stacbridge.schemas import DRAFT, PUSHED

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
OPERATORS = (*COMPARISONS, "like", "isnull", "casei", "s_intersects", *ARRAYS)


@dataclass(frozen=True, slots=True)
class Field:
    """A property of items. `names` is what filters of the upstream may call it, its own name first.

    `read` turns an upstream value into the item's (`converted`: not just its type's own way), `case` is
    "upper" or "lower" where its text has but one.
    """

    stac: str
    names: tuple[str, ...]
    read: Callable[[Any], Any]
    converted: bool
    case: str | None
    schema: Json


@dataclass(frozen=True, slots=True)
class Habits:
    """What an API is like where the standard leaves it open, or where it differs."""

    method: str
    language: str
    operators: frozenset[str]
    caseless: bool
    sortables: tuple[str, ...]
    foreign: frozenset[str]
    parameters: tuple[tuple[str, str], ...]
    discover: tuple[tuple[str, str], ...]


class Passthrough:
    """What `Mapping` is for other protocols: a record is an upstream Item, whose collections it discovers."""

    def __init__(self, mapping: Mapping) -> None:
        """Raises `Misconfigured` naming file and key."""
        self.id, self.title = mapping.id, mapping.title
        self.habits = _habits(mapping.search)
        self.fields = _fields(mapping.search.tables("field"))
        mapping.search.done()
        self.hidden = self.habits.foreign | {
            name for field in self.fields.values() if field.converted for name in field.names[1:]
        }
        """What filters name and Items do not show, or not in the same words."""
        self._frame = Frame(
            catalogue=mapping.id,
            home=mapping.endpoints.get("catalogue", ""),
            schemes=mapping.frame.schemes.get("auth:schemes", {}),
            origin=mapping.frame.alternates.get("origin", {}),
            readers={name: field.read for name, field in self.fields.items()},
            known=mapping.frame.extensions,
            public=tuple(mapping.access.get("public", ())),
        )

    @property
    def collections(self) -> dict[str, Json]:
        """No Collections: the upstream lists them."""
        return {}

    def items(
        self, records: list[Json], root: str, *, ready: bool = False
    ) -> tuple[list[Json], list[Skipped]]:
        """Return the Items of a page (plain dicts, also if `ready`), and which records could not be one."""
        return stac_items.items(records, root, self._frame)

    def collection(self, entry: Json) -> Json | None:
        """Return an upstream's Collection as one of ours, without API links; `None` where it has no items."""
        return stac_collections.collection(entry, self._frame)

    def asset(self, collection: str, key: str) -> None:
        """Accept any asset: only the Item itself tells which it has."""

    def place(self, record: Json, key: str) -> Place:
        """Return where an asset of an Item is. Raises `NotFound`."""
        return stac_assets.place(record, key, self._frame)

    def described(self, found: Json) -> Json:
        """Return the schemas of queryables under the names that STAC has for them, too.

        Filters may name what else Items have; that is checked on each of them.
        """
        schemas = {name: schema for name, schema in found.items() if isinstance(schema, dict)}
        aliases = {name: field.stac for field in self.fields.values() for name in field.names[1:]}
        properties = {name: self._queryable(name, schema, aliases) for name, schema in schemas.items()}
        for field in self.fields.values():
            known = next((schemas[name] for name in field.names if name in schemas), None)
            if known is not None:
                properties.setdefault(field.stac, {**known, **field.schema, PUSHED: True})
        document = _document("Queryables", {**_BASE, **properties})
        return {**document, "additionalProperties": True}

    def _queryable(self, name: str, schema: Json, aliases: Dictionary[str, str]) -> Json:
        """Return the schema of a queryable, and what is to be known of it."""
        told = {"description": f"Another name of {aliases[name]}."} if name in aliases else {}
        if name in self.habits.foreign:
            case = " Text of it has no case." if self.habits.caseless else ""
            told = {"description": f"Known to filters alone: items do not show it.{case}"}
        return {**schema, **told, PUSHED: True}

    def queryables(self, collection: str | None = None) -> Json:
        """Return the JSON Schema of what a filter may name, as far as the file tells."""
        known: Json = {name: field.schema for name, field in self.fields.items()}
        return self.described({name: known.get(name, {}) for name in sorted({*self.habits.foreign, *known})})

    def sortables(self, collection: str | None = None) -> Json:
        """Return the JSON Schema of what `sortby` may name."""
        found = {
            name: self.fields[name].schema if name in self.fields else {}
            for name in ("datetime", *self.habits.sortables)
        }
        return _document("Sortables", found)


_BASE: Json = {
    "id": {"title": "Item id", "type": "string", PUSHED: True},
    "collection": {"title": "Collection id", "type": "string", PUSHED: True},
}


def _document(title: str, properties: Json) -> Json:
    return {
        "$schema": DRAFT,
        "type": "object",
        "title": title,
        "properties": properties,
        "additionalProperties": False,
    }


def _habits(table: Table) -> Habits:
    habits = Habits(
        method=table.choice("method", ("GET", "POST")) or "GET",
        language=table.choice("filter", ("cql2-text", "cql2-json", "none")) or "none",
        operators=frozenset(table.texts("operators") or COMPARISONS),
        caseless=table.optional("caseless", bool) or False,
        sortables=table.texts("sortables"),
        foreign=frozenset(table.texts("foreign")),
        parameters=tuple(table.table("parameters").strings().items()),
        discover=tuple(table.table("discover").strings().items()),
    )
    if unknown := habits.operators.difference(OPERATORS):
        raise table.wrong("operators", f"{', '.join(sorted(unknown))}: no such operator")
    return habits


def _fields(tables: Iterable[Table]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for table in tables:
        field = _field(table)
        if field.stac in found:
            raise table.wrong("stac", f"{field.stac!r} is there twice")
        found[field.stac] = field
    return found


def _field(table: Table) -> Field:
    stac, kind = table.take("stac", str), table.choice("type", TYPES) or "String"
    convert = table.choice("convert", CONVERTERS)
    if convert and kind not in CONVERTERS[convert].takes:
        raise table.wrong(
            "convert", f"{convert!r} takes {' or '.join(CONVERTERS[convert].takes)}, not {kind}"
        )
    converter = CONVERTERS[convert] if convert else TYPES[kind]
    told = {key: table.optional(key, str) for key in ("title", "description")}
    field = Field(
        stac=stac,
        names=(stac, *table.texts("names")),
        read=_reader(TYPES[kind].read, converter.read if convert else None),
        converted=convert is not None,
        case=table.choice("case", ("upper", "lower")),
        schema={**{key: value for key, value in told.items() if value}, **converter.schema},
    )
    table.done()
    return field


def _reader(base: Callable[..., Any], convert: Callable[..., Any] | None) -> Callable[[Any], Any]:
    if convert is None:
        return base

    def read(value: Any) -> Any:
        typed = base(value)
        return None if typed is None else convert(typed)

    return read
