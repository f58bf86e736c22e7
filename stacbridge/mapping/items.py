"""From upstream records to finished STAC Items, in one pass over each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import orjson

from stacbridge.mapping import assets, extensions, listed
from stacbridge.mapping.areas import Footprint
from stacbridge.mapping.assets import PART, Asset
from stacbridge.mapping.families import Collection
from stacbridge.mapping.names import CONVENTIONS
from stacbridge.mapping.products import NotAnItem, details, slots
from stacbridge.mapping.readers import Reader
from stacbridge.mapping.templates import Template, raw, slot
from stacbridge.model import Json

STAC_VERSION = "1.1.0"
MEMBERS = ("id", "collection", "geometry")
"""What a filter may name of an Item besides its properties."""
ISSUE = "stacbridge:geometry_issue"
"""Property of an Item without geometry whose record has one that makes no sense."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the Items of a catalogue share."""

    catalogue: str
    download: str
    """URL under which products are downloaded."""
    endings: tuple[str, ...]
    """Endings of a product's name that are not part of its item's id."""
    schemes: Json
    alternates: Mapping[str, Json]
    extensions: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """The serialised links and assets of all records that have the same files, and the extensions these
    use."""

    links: Template
    assets: Template
    extensions: frozenset[str]


class Builder:
    """Makes the Items of one collection."""

    def __init__(self, collection: Collection, frame: Frame) -> None:
        self.collection, self._frame, self._url = collection, frame, quote(collection.id, safe="")
        self.convention = CONVENTIONS[collection.convention] if collection.convention else None
        constants = {**frame.schemes, **collection.constants}
        self._read = Reader(collection.rows.values(), constants).read
        self.names = frozenset([*MEMBERS, *collection.rows, *constants, ISSUE])
        files = collection.assets.values()
        self._details = details(
            frozenset(["s3", *[asset.kind for asset in files], *["size" for asset in files if asset.stated]])
        )
        self._tested = sorted({name for asset in files for name in asset.when})
        self._shape = lru_cache(maxsize=1024)(self._make_shape)
        self._extensions = lru_cache(maxsize=1024)(self._list_extensions)

    def item(self, record: Json, root: str, footprint: Footprint, *, ready: bool = False) -> Json:
        """Return the Item of a record. `ready` leaves links and assets as serialised JSON for `orjson.dumps`.

        Raises `NotAnItem` for a record without Id, Name or start time.
        """
        values = slots(record, self._frame.endings, self.convention, self._details)
        attributes = record["Attributes"]
        properties = self._read(record)
        if "datetime" not in properties:
            raise NotAnItem("it has no time")
        shape = self._shape(tuple(values), tuple([str(attributes.get(name)) for name in self._tested]))
        home = f"{root}/assets/{self._frame.catalogue}/{self._url}/{values['id_url']}"
        product = f"{self._frame.download}/Products({values['uuid']})"
        nodes = f"{product}/Nodes({values['name_url']})"
        values |= {"root": root, "home": home, "product": product, "nodes": nodes}
        links, files = shape.links.render(values), shape.assets.render(values)
        own = listed.shown(record, home, self._frame.alternates) if self.collection.files else {}
        names = (*properties, *extensions.members(own)) if own else tuple(properties)
        geometry, bbox = footprint
        item = {
            "type": "Feature",
            "stac_version": STAC_VERSION,
            "stac_extensions": self._extensions(names, shape),
            "id": orjson.loads(f'"{values["id"]}"'),
            "collection": self.collection.id,
            "geometry": geometry,
            "bbox": bbox,
            "properties": properties,
            "links": orjson.Fragment(links) if ready else orjson.loads(links),
            "assets": orjson.Fragment(files) if ready and not own else {**orjson.loads(files), **own},
        }
        if bbox is None:
            del item["bbox"]
            if record.get("GeoFootprint") or record.get("Footprint"):
                properties[ISSUE] = "The archive's footprint cannot be made a valid geometry."
        return item

    def _list_extensions(self, names: tuple[str, ...], shape: _Shape) -> list[str]:
        return extensions.of(shape.extensions.union(names), self._frame.extensions)

    def _make_shape(self, have: tuple[str, ...], tested: tuple[str, ...]) -> _Shape:
        present, attributes = frozenset(have), dict(zip(self._tested, tested, strict=True))
        files = {
            key: self._asset(asset, present)
            for key, asset in self.collection.assets.items()
            if assets.holds(asset.when, attributes) and _has(asset, present)
        }
        links = self._links(present)
        names = frozenset([*extensions.members(list(files.values())), *extensions.members(links)])
        return _Shape(Template(links), Template(files), names)

    def _links(self, present: frozenset[str]) -> list[Json]:
        root, home = slot("root"), f"{slot('root')}/collections/{self._url}"
        own = [
            {"rel": "self", "type": "application/geo+json", "href": f"{home}/items/{slot('id_url')}"},
            {"rel": "root", "type": "application/json", "href": f"{root}/"},
            {"rel": "parent", "type": "application/json", "href": home},
            {"rel": "collection", "type": "application/json", "href": home},
        ]
        further = [link for link in self.collection.links if present.issuperset(PART.findall(link["href"]))]
        return own + [{**link, "href": _in_url(link["href"])} for link in further]

    def _asset(self, asset: Asset, present: frozenset[str]) -> Json:
        shown = {
            "href": f"{slot('home')}/{quote(asset.key, safe='')}/{_in_url(asset.name)}",
            **asset.members,
        }
        prefix = "zip_" if asset.kind == "compressed" else "" if asset.stated else None
        if prefix is not None and f"{prefix}size" in present:
            shown["file:size"] = raw(f"{prefix}size")
        if prefix is not None and f"{prefix}checksum" in present:
            shown["file:checksum"] = slot(f"{prefix}checksum")
        if asset.kind == "node" and asset.exact:
            shown["file:local_path"] = f"{slot('name')}/{_in_text(asset.path)}"
        alternate = self._alternates(asset, present)
        return {**shown, "alternate": alternate} if alternate else shown

    def _alternates(self, asset: Asset, present: frozenset[str]) -> Json:
        found = {}
        if "origin" in self._frame.alternates and asset.exact:
            members = dict(self._frame.alternates["origin"])
            if asset.kind == "quicklook":  # public, unlike products
                members.pop("auth:refs", None)
            found["origin"] = {"href": _origin(asset), **members}
        if "s3" in self._frame.alternates and "s3" in present and asset.kind == "node" and asset.exact:
            found["s3"] = {"href": f"{slot('s3')}/{_in_text(asset.path)}", **self._frame.alternates["s3"]}
        return found


def _has(asset: Asset, present: frozenset[str]) -> bool:
    """Tell whether a record that says `present` has an asset."""
    return asset.parts <= present and (asset.kind not in ("compressed", "quicklook") or asset.kind in present)


def _origin(asset: Asset) -> str:
    if asset.kind == "quicklook":
        return slot("quicklook")
    if asset.kind == "node":
        nodes = "".join(f"/Nodes({_in_url(segment)})" for segment in asset.path.split("/"))
        return f"{slot('nodes')}{nodes}/$value"
    return f"{slot('product')}/{'$zip' if asset.kind == 'compressed' else '$value'}"


def _in_url(pattern: str) -> str:
    """Turn a pattern's {parts} into slots of text that is escaped for a URL."""
    return _slotted(pattern, lambda part: slot(f"{part}_url" if part in ("id", "name") else part))


def _in_text(pattern: str) -> str:
    """Turn a pattern's {parts} into slots of plain text."""
    return _slotted(pattern, slot)


def _slotted(pattern: str, write: Callable[[str], str]) -> str:
    return PART.sub(lambda found: write(found[1]), pattern)
