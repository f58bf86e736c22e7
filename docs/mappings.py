"""The page of each shipped catalogue: per property what is read, what is pushed, what is evaluated here."""

from collections.abc import Callable, Iterator
from importlib.resources import files

from probes import TEXTS, operators, samples, typed
from tabular import table

from stacbridge.cql import conditions
from stacbridge.dialects import sedas_scope
from stacbridge.dialects.opensearch import filters, options
from stacbridge.dialects.stac_filter import Vocabulary, Wording
from stacbridge.mapping.families import Collection
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.mapping.passthrough import Field, Passthrough
from stacbridge.mapping.rows import Row
from stacbridge.model import Json, Query
from stacbridge.settings import Settings

SHIPPED = sorted(
    file.name.removesuffix(".toml")
    for file in (files("stacbridge") / "catalogues").iterdir()
    if file.name.endswith(".toml")
)
PUSHED = {
    "equal": "`=` `IN`",
    "order": "comparisons, `BETWEEN`, `IN`",
    "text": "`=` `IN` `LIKE`",
    None: "",
}


def page(catalogue: str) -> Iterator[str]:
    """Yield the page of a catalogue."""
    read = load(catalogue, Settings())
    yield f"# Mapping of {read.title}\n"
    yield from DIALECTS[read.dialect](read)


def odata(read: Mapping) -> Iterator[str]:
    """Yield the tables of a catalogue whose service evaluates all filters."""
    yield "Each row serves both directions: it is read from the record that the archive answers, and a filter"
    yield "on the property is pushed to the archive with the operators named; others are refused with `400`."
    yield "“all”: the values of the archive are a closed set, so any operator becomes a choice among them."
    yield "Nothing is evaluated here.\n"
    for specs in _families(read):
        yield from _collections(specs)
        yield from table(
            ("property", "read from", "type there", "filters pushed", "sorts"),
            (
                (f"`{name}`", _paths(row), row.type, _declared(row), "yes" * row.sort)
                for name, row in _rows(specs).items()
            ),
        )


def sedas(read: Mapping) -> Iterator[str]:
    """Yield the tables of a catalogue whose service only narrows a search."""
    yield "Each property is read from the record that the service answers. How SeDAS applies a filter is"
    yield "not published, so every filter is checked here, on every record; what is sent besides only narrows"
    yield "the search. “Sent to narrow” names the operators of which something is sent (a filter, a time, or"
    yield "the satellite where only one is left) when one collection is searched and the condition is joined"
    yield "to the others by `AND`; where it is empty, a condition is only checked here. Times and areas of a"
    yield "search are sent and checked, too.\n"
    for specs in _families(read):
        yield from _collections(specs)
        yield from table(
            ("property", "read from", "type there", "sent to narrow", "checked here", "sorts"),
            (_sedas_row(read, specs[0], row) for row in specs[0].rows.values()),
        )


def _sedas_row(read: Mapping, spec: Collection, row: Row) -> tuple[str, ...]:
    plain = _scope(read, spec, None)

    def narrows(filter: Json) -> bool:
        found = _scope(read, spec, filter)
        return bool(found.asks) and _sent(found) != _sent(plain)

    def checks(filter: Json) -> bool:
        return _scope(read, spec, filter) is not None

    given = row.stac, samples(row)
    return (
        f"`{row.stac}`",
        _paths(row),
        row.type,
        operators(*given, narrows),
        operators(*given, checks),
        "yes" * row.sort,
    )


def _scope(read: Mapping, spec: Collection, filter: Json | None) -> sedas_scope.Scope:
    return sedas_scope.scope(Query(collections=(spec.id,), filter=filter), read)


def _sent(scope: sedas_scope.Scope) -> tuple[object, ...]:
    return scope.asks, scope.areas, scope.since, scope.until


def opensearch(read: Mapping) -> Iterator[str]:
    """Yield the table of a catalogue whose collections and parameters the service tells."""
    known = options.parse(read)
    read.adopt({"a": {"id": "a", "title": "a", "extent": {}, "links": []}})
    yield "Collections are those that the service tells. Each property is read from the product that it"
    yield "answers. A condition is pushed with the operators named, as the parameter named, where the"
    yield "description document of the collection has that parameter; all else is checked here on each item."
    yield "What is pushed is checked here, too, on products that state the property. Time and area of a"
    exact = known.trusted.issuperset(options.TRUSTED)
    yield f"search are pushed{'' if exact else ', and checked here on every product'}.\n"
    for spec in read.specs.values():
        yield from table(
            (
                "property",
                "read from",
                "type there",
                "filters pushed",
                "as parameter",
                "checked here",
                "sorts",
            ),
            (_opensearch_row(known, spec, row) for row in spec.rows.values()),
        )


def _opensearch_row(known: options.Options, spec: Collection, row: Row) -> tuple[str, ...]:
    def pushes(filter: Json) -> bool:
        pushed = filters.push(conditions.parse(filter), spec)
        return pushed is not None and bool(pushed.values) and not pushed.checked

    def checks(filter: Json) -> bool:
        pushed = filters.push(conditions.parse(filter), spec)
        return pushed is not None and row.paths[0] in pushed.checks

    given = row.stac, samples(row)
    pushed, checked = operators(*given, pushes), operators(*given, checks)
    attribute = row.paths[0].rpartition("/")[2]
    parameter = f"`{known.parameters.get(attribute, attribute)}`" if pushed else ""
    sorts = "yes" * row.sort
    return f"`{row.stac}`", _paths(row), row.type, pushed, parameter, checked, sorts


def stac(read: Mapping) -> Iterator[str]:
    """Yield the table of a STAC API."""
    translation = Passthrough(read)
    language = translation.habits.language
    yield "Collections are those that the service tells, and Items keep what they say. A condition is pushed"
    yield f"as `{language}` under that of the names which the queryables of the collection have at present;"
    yield "properties that are not in this table are pushed under their own names. What cannot be pushed"
    yield "exactly is checked here on each item. Two columns say what is pushed exactly, since it depends on"
    yield "whether the queryables list the values of the property (`enum`); where they do, a test is"
    yield "pushed as a choice among those values.\n"
    yield from table(
        (
            "property",
            "read from",
            "names in filters",
            "pushed, values listed",
            "pushed, values not listed",
            "sorts",
        ),
        (_stac_row(read, translation, field) for field in translation.fields.values()),
    )


def _stac_row(read: Mapping, translation: Passthrough, field: Field) -> tuple[str, ...]:
    upstream: Json = {name: field.schema[name] for name in ("type", "format") if name in field.schema}
    text = typed(upstream) == list(TEXTS)
    listed: Json = {**upstream, "enum": list(TEXTS)} if text else upstream
    values = [value for value in map(field.read, TEXTS) if value is not None] if text else typed(upstream)

    def pushed(schema: Json) -> str:
        vocabulary = Vocabulary({field.stac: schema})

        def exactly(filter: Json) -> bool:
            wording = Wording(translation.habits, translation.fields, vocabulary)
            written = wording.write(conditions.parse(filter))
            return not isinstance(written, bool) and not wording.checked

        return operators(field.stac, values, exactly)

    source = "`id`" if field.stac == "id" else f"`properties/{field.stac}`"
    names = " ".join(f"`{name}`" for name in field.names)
    sorts = "yes" * (field.stac in translation.sortables()["properties"])
    return f"`{field.stac}`", source, names, pushed(listed), pushed(upstream), sorts


def _families(read: Mapping) -> Iterator[list[Collection]]:
    for family in dict.fromkeys(spec.family for spec in read.specs.values()):
        yield [spec for spec in read.specs.values() if spec.family == family]


def _collections(specs: list[Collection]) -> Iterator[str]:
    yield f"\n## {specs[0].family}\n"
    yield from table(("collection", "title"), ((f"`{spec.id}`", spec.stac["title"]) for spec in specs))
    yield ""


def _rows(specs: list[Collection]) -> dict[str, Row]:
    return {name: row for spec in specs for name, row in spec.rows.items()}


def _paths(row: Row) -> str:
    return ", ".join(f"`{path}`" for path in row.paths)


def _declared(row: Row) -> str:
    """Say which operators the upstream evaluates."""
    return "all" if row.values else PUSHED[row.push]


DIALECTS: dict[str, Callable[[Mapping], Iterator[str]]] = {
    "odata": odata,
    "sedas": sedas,
    "opensearch": opensearch,
    "stac": stac,
}
