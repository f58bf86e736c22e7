"""One row per STAC property, for both directions: where it comes from, and what the upstream can filter of
it.

    [[field]]
    stac = "eo:cloud_cover"
    from = "Attributes/cloudCover"     path in the record, or a list of paths that are read together
    type = "Double"                    upstream type: String Integer Double DateTimeOffset Boolean Any
    convert = "lower"                  optional: a name of `convert.CONVERTERS`
    table = {LEVEL1 = "L1"}            instead of `convert`: upstream value -> STAC value, a closed set
    members = ["land", "bright"]       instead of `convert`: an object with one member per path
    values = ["VV", "VV&VH"]           optional: the closed set of upstream values (lists for several paths)
    push = "order"                     optional: "equal" | "order" | "text", what the upstream honours exactly
    sort = true                        optional: the upstream sorts by it
    title, description, schema         optional: for queryables; `schema` is merged into its JSON Schema

`values` promises that the upstream has no others. With it (or `table`) every operator can be pushed: the
values that satisfy it are, so nothing else is needed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stacbridge.convert import CONVERTERS, TYPES, Converter, Write
from stacbridge.mapping.tables import Table
from stacbridge.model import Json

PUSHES = ("equal", "order", "text")
_ORDERED = ("Integer", "Double", "DateTimeOffset")


@dataclass(frozen=True, slots=True)
class Row:
    """A checked row. `read` takes one upstream value per path (none of them missing, unless `members`)."""

    stac: str
    paths: tuple[str, ...]
    type: str
    read: Callable[..., Any]
    write: Write | None
    push: str | None
    sort: bool
    values: tuple[Any, ...] | None
    members: tuple[str, ...]
    plain: bool
    """Whether nothing converts what the type reads."""
    recurs: bool
    """Whether few texts come again and again, so that what they read to is worth remembering."""
    schema: Json
    required: bool = False
    """Whether every record has the property, with one of `values`."""

    @property
    def filterable(self) -> bool:
        """Whether any condition on the property can be pushed."""
        return self.push is not None or self.values is not None


def parse(table: Table) -> Row:
    """Check one `[[field]]`. Raises `Misconfigured` naming file and key."""
    name = table.take("stac", str)
    paths = table.texts("from")
    kind = table.choice("type", TYPES) or "String"
    members = table.texts("members")
    if not paths or (members and len(members) != len(paths)):
        raise table.wrong("from", "must name one path, or as many as `members`")
    converter, known = _converter(table, kind, members)
    push = table.choice("push", PUSHES)
    _check_push(table, push, kind, converter, paths)
    row = Row(
        stac=name,
        paths=paths,
        type=kind,
        read=_reader(kind, converter, paths, members),
        write=converter.write,
        push=push,
        sort=(table.optional("sort", bool) or False),
        values=_values(table, paths, known),
        members=members,
        plain=converter is TYPES[kind],
        recurs=kind == "String" and converter is not TYPES[kind] and not members and not converter.varied,
        schema=_schema(table, converter),
    )
    table.done()
    return row


def narrowed(row: Row, known: Mapping[str, frozenset[Any]]) -> Row:
    """Return a row of which the upstream value is known to be one of a few, by attribute name."""
    attribute = row.paths[0].removeprefix("Attributes/")
    if len(row.paths) > 1 or row.members or attribute not in known:
        return row
    values = tuple(sorted(known[attribute], key=str))
    return replace(row, values=values, required=None not in map(row.read, values))


def _check_push(
    table: Table, push: str | None, kind: str, converter: Converter, paths: tuple[str, ...]
) -> None:
    """Refuse to push what could not be pushed exactly."""
    if push and converter.write is None:
        raise table.wrong("push", "the converter does not write; give `values`")
    if push == "order" and (len(paths) > 1 or converter is not TYPES[kind] or kind not in _ORDERED):
        raise table.wrong(
            "push", f"'order' needs one path, no converter, and a type of {', '.join(_ORDERED)}"
        )
    if push == "text" and (len(paths) > 1 or converter is not TYPES["String"] or "/" in paths[0]):
        raise table.wrong("push", "'text' needs one path that is no attribute, no converter, and type String")


def _converter(table: Table, kind: str, members: tuple[str, ...]) -> tuple[Converter, tuple[Any, ...] | None]:
    name = table.choice("convert", CONVERTERS)
    entries = table.optional("table", dict)
    if sum((name is not None, entries is not None, bool(members))) > 1:
        raise table.wrong("convert", "only one of `convert`, `table` and `members` makes sense")
    if name is not None and kind not in CONVERTERS[name].takes:
        raise table.wrong("type", f"{name!r} takes {' or '.join(CONVERTERS[name].takes)}, not {kind}")
    if entries is not None and kind == "Any":
        raise table.wrong("type", "a `table` needs to know the type of its keys")
    if entries is not None:
        lookup = {TYPES[kind].read(key): value for key, value in entries.items()}
        schema = {"enum": _distinct(lookup.values())}
        return Converter(lookup.get, _inverse(lookup), schema), tuple(lookup)
    if members:
        return Converter(_object(members), None, {"type": "object"}), None
    return (CONVERTERS[name] if name else TYPES[kind]), None


def _inverse(lookup: Mapping[Any, Any]) -> Write:
    return lambda value: tuple(key for key, read in lookup.items() if read == value)


def _object(members: tuple[str, ...]) -> Callable[..., Json | None]:
    def read(*values: Any) -> Json | None:
        return {name: value for name, value in zip(members, values, strict=True) if value is not None} or None

    return read


def _reader(
    kind: str, converter: Converter, paths: tuple[str, ...], members: tuple[str, ...]
) -> Callable[..., Any]:
    """Compose the reader of the type and that of the converter; a missing or malformed part makes the whole
    missing."""
    base, convert = TYPES[kind].read, converter.read
    if converter is TYPES[kind]:
        return base
    if kind == "Any" and not members:
        return convert

    def one(value: Any) -> Any:
        typed = base(value)
        return None if typed is None else convert(typed)

    def several(*values: Any) -> Any:
        typed = [base(value) for value in values]
        return None if None in typed and not members else convert(*typed)

    return one if len(paths) == 1 and not members else several


def _values(table: Table, paths: tuple[str, ...], known: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    values = table.optional("values", list)
    if values is None:
        return known
    if len(paths) > 1 and not all(isinstance(value, list) and len(value) == len(paths) for value in values):
        raise table.wrong("values", "must be lists with one value per path")
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)


def _schema(table: Table, converter: Converter) -> Json:
    described = {key: table.optional(key, str) for key in ("title", "description")}
    found: Json = {key: value for key, value in described.items() if value}
    return {**found, **converter.schema, **(table.optional("schema", dict) or {})}


def _distinct(values: Any) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def parse_all(tables: Any) -> dict[str, Row]:
    """Check many `[[field]]`, by STAC name. Raises `Misconfigured` for a name that is there twice."""
    rows: dict[str, Row] = {}
    for table in tables:
        row = parse(table)
        if row.stac in rows:
            raise table.wrong("stac", f"{row.stac!r} is there twice")
        rows[row.stac] = row
    return rows
