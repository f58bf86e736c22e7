"""A catalogue as data: `<id>.toml` and `<id>/*.toml` beside it, checked, and compiled to what translates its
records.

    id = "cdse"; title; description; dialect = "odata"
    [endpoints]                 URLs by name; `Settings.endpoints[id]` replaces them
    [access]                    flow = "oidc-password"; the rest is the flow's own
    [limits]                    numbers by name; the dialect and the download proxy know which
    [search]                    the dialect's own; it checks it
    [names]  strip = [".SAFE"]  endings of product names that are not part of an item's id
    [auth_schemes.oidc]         become auth:schemes and storage:schemes of Items and Collections, verbatim
    [storage_schemes.cdse-s3]
    [alternate.origin]          members of the alternates "origin" (upstream's own href), "s3", verbatim;
    [alternate.s3]              without such a table an asset has no such alternate
    [extensions]                further schema URIs: {"eopf:" = "https://…"}; see `extensions.EXTENSIONS`
    [[link]]                    links of every Item, verbatim; href may hold {name} {id} {s3}
    [[field]]                   rows of every family; see `rows`
    [[asset]] group = "…"       assets of every family; see `assets`

Files in the folder are families; see `families`. Nonsense is refused with `Misconfigured`, naming file and
key.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dictionary
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from stacbridge.errors import Misconfigured, NotFound
from stacbridge.mapping import families, products, queryables, rows, tables
from stacbridge.mapping.assets import Asset
from stacbridge.mapping.extensions import EXTENSIONS
from stacbridge.mapping.families import Collection, Common
from stacbridge.mapping.footprints import footprints
from stacbridge.mapping.items import Builder, Frame
from stacbridge.mapping.products import NotAnItem, Place
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
        self.frame = frame = self._shared(top)
        common = Common(
            rows=rows.parse_all(top.tables("field")),
            groups=families.grouped(top),
            links=tuple(top.optional("link", list) or []),
            schemes=frame.schemes,
            extensions=frame.extensions,
        )
        top.done()
        self.specs: dict[str, Collection] = {}
        for part in parts:
            for spec in families.parse(part, common):
                if spec.id in self.specs:
                    raise part.wrong("collection", f"{spec.id!r} is there twice")
                self.specs[spec.id] = spec
        self._builders = {spec.id: Builder(spec, frame) for spec in self.specs.values()}
        self._classes = _Classes(self.specs.values())

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
        """STAC Collections by id, without API links."""
        return {spec.id: spec.stac for spec in self.specs.values()}

    def classify(self, record: Json) -> str | None:
        """Return the id of the collection that a record belongs to."""
        return self._classes.find(record.get("Attributes"))

    def item(self, record: Json, root: str) -> Json:
        """Return the Item of a record, a plain dict. Raises `NotAnItem` saying why it cannot be one."""
        collection = self.classify(record)
        if collection is None:
            raise NotAnItem("it belongs to no collection")
        return self._builders[collection].item(record, root, footprints([record])[0])

    def items(
        self, records: list[Json], root: str, *, ready: bool = False
    ) -> tuple[list[Json], list[Skipped]]:
        """Return the Items of a page, and which records could not become one.

        `ready` leaves `links` and `assets` as serialised JSON, which only `orjson.dumps` reads; faster.
        """
        found: list[Json] = []
        skipped: list[Skipped] = []
        for record, footprint in zip(records, footprints(records), strict=True):
            try:
                collection = self.classify(record)
                if collection is None:
                    raise NotAnItem("it belongs to no collection")
                found.append(self._builders[collection].item(record, root, footprint, ready=ready))
            except NotAnItem as reason:
                skipped.append(Skipped(products.label(record), str(reason)))
        return found, skipped

    def asset(self, collection: str, key: str) -> Asset | None:
        """Return the row of an asset, `None` where only a record can tell whether it is there.

        Raises `NotFound`.
        """
        if collection not in self.specs:
            raise NotFound(f"There is no collection {collection!r}.")
        spec = self.specs[collection]
        if key not in spec.assets and not spec.files:
            raise NotFound(f"Collection {collection!r} has no asset {key!r}.")
        return spec.assets.get(key)

    def place(self, record: Json, key: str) -> Place:
        """Return where an asset of a record is. Raises `NotFound`."""
        collection = self.classify(record)
        asset = self.asset(collection or "", key)
        if asset is None:
            found = products.listed_place(record, key)
        else:
            found = products.place(record, asset, self.endings, self._builders[str(collection)].convention)
        if found is None:
            raise NotFound(f"{products.label(record)!r} has no asset {key!r}.")
        return found

    def queryables(self, collection: str | None = None) -> Json:
        """Return the JSON Schema of what a filter may name, of one collection or over all. Raises
        `NotFound`."""
        return queryables.filterable(self._chosen(collection))

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


class _Classes:
    """Tells the collection of a record by its attributes; `productType` narrows first, as nearly all name
    it."""

    _FIRST = "productType"

    def __init__(self, specs: Iterable[Collection]) -> None:
        self._by_first: dict[object, list[Collection]] = {}
        self._others: list[Collection] = []
        for spec in specs:
            for value in spec.match.get(self._FIRST, ()):
                self._by_first.setdefault(value, []).append(spec)
            if self._FIRST not in spec.match:
                self._others.append(spec)

    def find(self, attributes: object) -> str | None:
        if not isinstance(attributes, dict):
            return None
        first = attributes.get(self._FIRST)
        known = self._by_first.get(first, []) if isinstance(first, str) else []
        for spec in (*known, *self._others):
            if families.matches(spec, attributes):
                return spec.id
        return None


def _endings(names: Table) -> tuple[str, ...]:
    endings = names.texts("strip")
    names.done()
    if any(one != other and one.endswith(other) for one in endings for other in endings):
        raise names.wrong("strip", "one ending ends with another, so that ids would be ambiguous")
    return endings


def load(catalogue: str, settings: Settings) -> Mapping:
    """Read a catalogue: from `settings.catalogue_folder` where it is there, else a shipped one. Raises
    `Misconfigured`."""
    for folder in _folders(settings):
        file = folder / f"{catalogue}.toml"
        if file.is_file():
            return Mapping(
                tables.read(file), _parts(folder / catalogue), settings.endpoints.get(catalogue, {})
            )
    raise Misconfigured(f"There is no catalogue {catalogue!r}.", advice="Check the setting `catalogues`.")


def _folders(settings: Settings) -> list[Path | Traversable]:
    shipped = files("stacbridge") / "catalogues"
    return [settings.catalogue_folder, shipped] if settings.catalogue_folder else [shipped]


def _parts(folder: Path | Traversable) -> Iterator[Table]:
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []
    return (tables.read(entry) for entry in entries if entry.name.endswith(".toml"))
