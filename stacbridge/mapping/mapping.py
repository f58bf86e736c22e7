"""A catalogue as data: `<id>.toml` and `<id>/*.toml` beside it, checked, and compiled to what translates its
records.

    id = "cdse"; title; description; dialect = "odata"
    include = ["opensearch"]    rows that catalogues of one protocol share: `includes/<name>.toml`; a row of
                                the catalogue's own takes the place of one with its name
    [endpoints]                 URLs by name; `Settings.endpoints[id]` replaces them
    [access]                    flow = "oidc-password"; the rest is the flow's own
    [limits]                    numbers by name; the dialect and the download proxy know which
    [search]                    the dialect's own; it checks it
    item_ids = "S[12].*"        what every item id matches, as far as is known; others are not asked for here
    [names]  strip = [".SAFE"]  endings of product names that are not part of an item's id
    [auth_schemes.oidc]         become auth:schemes and storage:schemes of Items and Collections, verbatim
    [storage_schemes.cdse-s3]
    [alternate.origin]          members of the alternates "origin" (upstream's own href), "s3", verbatim;
    [alternate.s3]              without such a table an asset has no such alternate
    [extensions]                further schema URIs: {"eopf:" = "https://…"}; see `extensions.EXTENSIONS`
    [[link]]                    links of every Item, verbatim; href may hold {name} {id} {s3}
    [[field]]                   rows of every family; see `rows`
    [[asset]] group = "…"       assets of every family; see `assets`

Files in the folder are families; see `families`. A catalogue of one family may have `[family]` and
`[[collection]]` in its own file instead. Nonsense is refused with `Misconfigured`, naming file and
key.
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Dictionary

from stacbridge.errors import Misconfigured, NotFound
from stacbridge.mapping import families, products, queryables, rows, sources
from stacbridge.mapping.about import Common
from stacbridge.mapping.assets import Asset
from stacbridge.mapping.extensions import EXTENSIONS
from stacbridge.mapping.families import Collection, Family
from stacbridge.mapping.footprints import footprints
from stacbridge.mapping.items import Frame
from stacbridge.mapping.products import NotAnItem, Place
from stacbridge.mapping.roster import Roster
from stacbridge.mapping.tables import Table
from stacbridge.model import Json, Skipped
from stacbridge.settings import Settings


class Mapping:
    """A catalogue's data, checked and compiled. `specs` are its collections in the order of its files."""

    def __init__(self, top: Table, parts: Iterable[Table], endpoints: Dictionary[str, str]) -> None:
        self.id, self.title = top.take("id", str), top.take("title", str)
        self.description = top.optional("description", str) or ""
        self.dialect = top.take("dialect", str)
        self.endpoints: dict[str, str] = {**top.table("endpoints").strings(), **endpoints}
        self.access: Json = top.optional("access", dict) or {}
        self.limits: dict[str, int] = top.table("limits").integers()
        self.search = top.table("search")
        self.endings = _endings(top.table("names"))
        self.item_ids = _pattern(top, "item_ids")
        frame = self._shared(top)
        common = Common(
            rows=rows.parse_all(top.tables("field")),
            groups=families.grouped(top),
            links=tuple(top.optional("link", list) or []),
            schemes=frame.schemes,
            extensions=frame.extensions,
        )
        top.done()
        self.frame = frame
        self._family: Family | None = None
        self._fixed: list[Collection] = []
        for part in parts:
            self._add(part, common)
        self._roster = Roster(self._fixed, frame)

    def _add(self, part: Table, common: Common) -> None:
        family, specs = families.parse(part, common)
        if family.discovered:
            if self._family:
                raise part.wrong("family", "another family has `discovered`, too")
            self._family = family
        for spec in specs:
            if any(spec.id == other.id for other in self._fixed):
                raise part.wrong("collection", f"{spec.id!r} is there twice")
            self._fixed.append(spec)

    @property
    def specs(self) -> dict[str, Collection]:
        """The collections by id, in the order of the files; those that the service told follow."""
        return self._roster.specs

    @property
    def discovers(self) -> bool:
        """Whether the service tells collections of its own."""
        return self._family is not None

    def adopt(self, told: Dictionary[str, Json]) -> list[Json]:
        """Take the collections that the service tells in place of those it told before, and return them.

        By the value that its records bear in the attribute `discovered`; described in STAC's words, with an
        `id` and an `extent` at least. A collection of the files is not replaced.
        """
        if self._family is None:
            raise Misconfigured(f"{self.id}: no family has `discovered`, for the collections it tells.")
        fixed = {spec.id for spec in self._fixed}
        found = [self._family.adopt(key, stac) for key, stac in told.items() if stac["id"] not in fixed]
        self._roster = Roster([*self._fixed, *found], self.frame)
        return [spec.stac for spec in found]

    def _shared(self, top: Table) -> Frame:
        schemes = {
            "auth:schemes": (top.optional("auth_schemes", dict) or {}),
            "storage:schemes": (top.optional("storage_schemes", dict) or {}),
        }
        return Frame(
            catalogue=self.id,
            download=self.endpoints.get("download", ""),
            endings=self.endings,
            schemes={name: scheme for name, scheme in schemes.items() if scheme},
            alternates=(top.optional("alternate", dict) or {}),
            extensions={**EXTENSIONS, **top.table("extensions").strings()},
        )

    @property
    def collections(self) -> dict[str, Json]:
        """The STAC Collections of the files by id, without API links."""
        return {spec.id: spec.stac for spec in self._fixed}

    def classify(self, record: Json) -> str | None:
        """Return the id of the collection that a record belongs to."""
        return self._roster.classify(record)

    def item(self, record: Json, root: str) -> Json:
        """Return the Item of a record, a plain dict. Raises `NotAnItem` saying why it cannot be one."""
        found, skipped = self.items([record], root)
        for reason in skipped:
            raise NotAnItem(reason.reason)
        return found[0]

    def items(
        self, records: list[Json], root: str, *, ready: bool = False
    ) -> tuple[list[Json], list[Skipped]]:
        """Return the Items of a page, and which records could not become one.

        A record that its dialect found fault with says so in `Unfit`.
        `ready` leaves `links` and `assets` as serialised JSON, which only `orjson.dumps` reads; faster.
        """
        roster = self._roster
        found: list[Json] = []
        skipped: list[Skipped] = []
        for number, (record, footprint) in enumerate(zip(records, footprints(records), strict=True)):
            try:
                if "Unfit" in record:
                    raise NotAnItem(record["Unfit"])
                collection = roster.classify(record)
                if collection is None:
                    raise NotAnItem("it belongs to no collection")
                found.append(roster.builders[collection].item(record, root, footprint, ready=ready))
            except NotAnItem as reason:
                skipped.append(Skipped(products.label(record), str(reason), number))
        return found, skipped

    def asset(self, collection: str, key: str) -> Asset | None:
        """Return the row of an asset, `None` where only a record can tell whether it is there.

        Raises `NotFound`.
        """
        spec = self._chosen(collection)[0]
        if key not in spec.assets and not spec.files:
            raise NotFound(f"Collection {collection!r} has no asset {key!r}.")
        return spec.assets.get(key)

    def place(self, record: Json, key: str) -> Place:
        """Return where an asset of a record is. Raises `NotFound`."""
        roster = self._roster
        builder = roster.builders.get(roster.classify(record) or "")
        asset = builder.collection.assets.get(key) if builder else None
        found = None
        if builder and asset:
            found = products.place(record, asset, self.endings, builder.convention)
        elif builder and builder.collection.files:
            found = products.listed_place(record, key)
        if found is None:
            raise NotFound(f"{products.label(record)!r} has no asset {key!r}.")
        return found

    def names(self, collection: str) -> frozenset[str]:
        """Return the names of all properties that Items of a collection can have, as a filter says them.

        Those besides `id`, `collection` and `geometry` are in the Item's `properties`.
        """
        return self._roster.builders[collection].names

    def queryables(self, collection: str | None = None) -> Json:
        """Return the JSON Schema of what a filter may name, of one collection or over all. Raises
        `NotFound`."""
        return queryables.filterable(self._chosen(collection), self.frame.schemes)

    def sortables(self, collection: str | None = None) -> Json:
        """Return the JSON Schema of what `sortby` may name, of one collection or over all. Raises
        `NotFound`."""
        return queryables.sortable(self._chosen(collection))

    def _chosen(self, collection: str | None) -> list[Collection]:
        if collection is None:
            return list(self.specs.values())
        if collection not in self.specs:
            raise NotFound(f"There is no collection {collection!r}.")
        return [self.specs[collection]]


def _endings(names: Table) -> tuple[str, ...]:
    endings = names.texts("strip")
    names.done()
    if any(one != other and one.endswith(other) for one in endings for other in endings):
        raise names.wrong("strip", "one ending ends with another, so that ids would be ambiguous")
    return endings


def _pattern(top: Table, key: str) -> re.Pattern[str] | None:
    """Return a member that is a regular expression, `None` where it is absent."""
    try:
        return re.compile(text) if (text := top.optional(key, str)) else None
    except re.error as error:
        raise top.wrong(key, f"is no regular expression: {error}") from None


def load(catalogue: str, settings: Settings) -> Mapping:
    """Read a catalogue: from `settings.catalogue_folder` where it is there, else a shipped one. Raises
    `Misconfigured`."""
    return Mapping(*sources.read(catalogue, settings), settings.endpoints.get(catalogue, {}))
