"""Rows of assets: what files a product has, where their bytes are, and how an Item shows them.

    [[asset]]  (with `group`, in a catalogue or family)   or   [[collection.asset]]
    key = "vv"; title; description; type; roles = ["data"]
    of = "node"          "product" (the whole, $value) | "compressed" (stored archive, $zip) | "quicklook" |
                         "node" (a file inside)
    path = "measurement/{platform}-{mode}-grd-vv-{start}-*.tiff"     inside the product, for nodes
    name = "vv.tiff"     file name of the href; default: the last segment of `path` where it has no wildcard,
                         else {key}{extension}; "{name}.zip" for whole products
    when = {polarisationChannels = "VV"}     only if that attribute has (one of) these values among its own
    stated = true        the record's ContentLength and Checksum are of exactly these bytes (never for
                         "compressed": its Location states them)
    fields = {gsd = 10}  further members, verbatim

`{name}` is the product's name, `{id}` the item's id, other `{parts}` come from `names.CONVENTIONS`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacbridge.mapping.names import CONVENTIONS
from stacbridge.mapping.tables import Table
from stacbridge.model import Json

KINDS = ("product", "compressed", "quicklook", "node")
PART = re.compile(r"\{(\w+)\}")
_ALWAYS = frozenset(("name", "id"))
_EXTENSIONS = {"image/jpeg": ".jpg", "image/png": ".png", "image/jp2": ".jp2", "application/zip": ".zip"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A checked row. `path` and `name` are patterns; `members` is what the Item shows besides hrefs."""

    key: str
    kind: str
    path: str
    name: str
    when: Mapping[str, frozenset[str]]
    stated: bool
    members: Json

    @property
    def parts(self) -> frozenset[str]:
        """The parts of a product's name that the patterns need."""
        return frozenset(PART.findall(f"{self.path} {self.name}")) - _ALWAYS

    @property
    def exact(self) -> bool:
        """Whether the place of the bytes follows from the record alone."""
        return "*" not in self.path


def fill(pattern: str, parts: Mapping[str, str]) -> str:
    """Fill the `{parts}` of a pattern."""
    return PART.sub(lambda found: parts[found[1]], pattern)


def parse(table: Table, convention: str | None) -> Asset:
    """Check one row of an asset. Raises `Misconfigured` naming file and key."""
    key, kind = table.take("key", str), table.choice("of", KINDS)
    if kind is None:
        raise table.wrong("of", "is missing")
    media_type = table.take("type", str)
    members = {name: table.optional(name, str) for name in ("title", "description")}
    path = table.optional("path", str)
    if (kind == "node") != (path is not None):
        raise table.wrong("path", 'belongs to `of = "node"`, and only there')
    asset = Asset(
        key=key,
        kind=kind,
        path=path or "",
        name=table.optional("name", str) or _name(key, kind, path or "", media_type),
        when={name: frozenset(map(str, values)) for name, values in table.matches("when").items()},
        stated=(table.optional("stated", bool) or False),
        members={
            "type": media_type,
            **{name: value for name, value in members.items() if value},
            "roles": list(table.texts("roles")),
            **(table.optional("fields", dict) or {}),
        },
    )
    if asset.stated and kind == "compressed":
        raise table.wrong("stated", "a compressed location states its own size and checksum")
    known = CONVENTIONS[convention].parts if convention else frozenset()
    if unknown := asset.parts - known:
        raise table.wrong(
            "path", f"no part {', '.join(sorted(unknown))} in names of convention {convention!r}"
        )
    table.done()
    return asset


def _name(key: str, kind: str, path: str, media_type: str) -> str:
    if kind in ("product", "compressed"):
        return "{name}.zip"
    last = path.rpartition("/")[2]
    if last and "*" not in last:
        return last
    extension = f".{last.rpartition('.')[2]}" if "." in last else _EXTENSIONS.get(media_type, "")
    return f"{key}{extension}"


def holds(when: Mapping[str, frozenset[str]], attributes: Mapping[str, Any]) -> bool:
    """Tell whether each named attribute has one of the wanted values, itself or as a token of its text."""
    return all(not wanted.isdisjoint(_tokens(attributes.get(name))) for name, wanted in when.items())


def _tokens(value: Any) -> set[str]:
    return {str(value), *re.split(r"[\s&,]+", value)} if isinstance(value, str) else {str(value)}
