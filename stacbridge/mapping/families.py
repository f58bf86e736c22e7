"""Families of products, as an upstream groups them, and the STAC Collections they are published as.

[family]
name = "SENTINEL-1"                          OData Collection/Name
match = {platformShortName = ["SENTINEL-1"]} attribute values that tell the family of a record
parts = "sentinel-1"                         naming convention: a name of `names.CONVENTIONS`
remove = ["eo:cloud_cover"]                  common rows that do not hold here
files = true                                 its records list files of their own; see `listed`
discovered = "parentIdentifier"              the service tells its collections; a record names its own in this
license, license_url, providers, keywords, "sci:citation" …      defaults of the family's collections

[[field]]                                    see `rows`
[[asset]] group = "s1-grd" …                 see `assets`
[[link]]                                     further links of its Items; see `mapping`

[[collection]]
id, title, description, keywords …           as in STAC; anything named `prefix:name` is taken verbatim
temporal = ["2014-10-04T03:12:47Z"]          start and, where the mission is over, end
bbox = [-180, -90, 180, 90]
match = {productType = ["IW_GRDH_1S"]}       attribute = one of: pushed, and tells a record's collection
constants = {"sar:frequency_band" = "C"}     properties of every item of it
summaries = {…}
assets = ["s1-grd"]                          groups of assets, in order; then [[collection.asset]] rows
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacbridge.mapping import assets, rows
from stacbridge.mapping.about import Common, about_of, licence, merged, published, stac_of
from stacbridge.mapping.assets import Asset
from stacbridge.mapping.names import CONVENTIONS
from stacbridge.mapping.rows import Row
from stacbridge.mapping.tables import Table
from stacbridge.model import Json

Match = Mapping[str, frozenset[Any]]


@dataclass(frozen=True, slots=True)
class Collection:
    """A checked collection: `match` tells its records within the upstream's `family`, `stac` is its STAC
    Collection."""

    id: str
    family: str
    match: Match
    family_match: Match
    convention: str | None
    constants: Json
    rows: Mapping[str, Row]
    assets: Mapping[str, Asset]
    links: tuple[Json, ...]
    stac: Json
    files: bool = False
    """Whether its records list files besides those of `assets`."""

    @property
    def attributes(self) -> frozenset[str]:
        """The names of all attributes of a record that tell whether it belongs here, or something of its
        Item."""
        paths = [path.partition("/") for row in self.rows.values() for path in row.paths]
        read = [name for member, _, name in paths if member == "Attributes"]
        tested = [name for asset in self.assets.values() for name in asset.when]
        return frozenset([*self.match, *self.family_match, *read, *tested])


@dataclass(frozen=True, slots=True)
class Family:
    """A checked family. `defaults` is what its collections say of themselves in STAC's words; `discovered`
    is the attribute that names a record's collection, where the service tells its collections."""

    name: str
    match: Match
    convention: str | None
    rows: Mapping[str, Row]
    groups: Mapping[str, tuple[Table, ...]]
    links: tuple[Json, ...]
    files: bool
    discovered: str | None
    defaults: Json
    common: Common

    def collection(self, entry: Table) -> Collection:
        """Check one `[[collection]]`. Raises `Misconfigured` naming file and key."""
        match = _match(entry)
        about = merged(self.defaults, about_of(entry))
        constants = entry.optional("constants", dict) or {}
        files = _assets(entry, self.groups, self.convention)
        stac = stac_of(entry, about, files, self.common)
        entry.done()
        return self._collection(match, constants, files, stac)

    def adopt(self, key: str, stac: Json) -> Collection:
        """Make a collection that the service calls `key` and describes as `stac`, in STAC's words."""
        about = merged(self.defaults, stac)
        known = [*self.defaults.get("providers", ()), *stac.get("providers", ())]
        about["providers"] = list({each["name"]: each for each in reversed(known)}.values())[::-1]
        url = about.pop("license_url", None)
        licensed = any(link["rel"] == "license" for link in about.get("links", ()))
        links = [*about.get("links", ()), *(licence(url) if url and not licensed else ())]
        stac = published({"license": "other", **about, "links": links}, self.common)
        return self._collection({str(self.discovered): frozenset([key])}, {}, {}, stac)

    def _collection(
        self, match: Match, constants: Json, files: Mapping[str, Asset], stac: Json
    ) -> Collection:
        return Collection(
            id=stac["id"],
            family=self.name,
            match=match,
            family_match=self.match,
            convention=self.convention,
            constants=constants,
            rows=_own(self.rows, constants, {**self.match, **match}),
            assets=files,
            links=self.links,
            stac=stac,
            files=self.files,
        )


def parse(table: Table, common: Common) -> tuple[Family, list[Collection]]:
    """Check one family's file. Raises `Misconfigured` naming file and key."""
    entry = table.table("family")
    family = Family(
        name=entry.take("name", str),
        match=entry.matches("match"),
        convention=entry.choice("parts", CONVENTIONS),
        rows=_rows(table, entry, common),
        groups={**common.groups, **grouped(table)},
        links=(*common.links, *(table.optional("link", list) or [])),
        files=entry.optional("files", bool) or False,
        discovered=entry.optional("discovered", str),
        defaults=about_of(entry),
        common=common,
    )
    entry.done()
    found = [family.collection(each) for each in table.tables("collection")]
    table.done()
    return family, found


def matches(collection: Collection, attributes: Json) -> bool:
    """Tell whether a record with these attributes belongs to a collection."""
    return _all_match(collection.match, attributes) and _all_match(collection.family_match, attributes)


def _all_match(match: Match, attributes: Json) -> bool:
    for name, values in match.items():
        value = attributes.get(name)
        if not isinstance(value, str | int | float) or value not in values:
            return False
    return True


def grouped(table: Table) -> dict[str, tuple[Table, ...]]:
    """Return the `[[asset]]` tables of a file by their group; they are checked where a collection uses
    them."""
    groups: dict[str, tuple[Table, ...]] = {}
    for entry in table.tables("asset"):
        group = entry.take("group", str)
        groups[group] = (*groups.get(group, ()), entry)
    return groups


def _match(entry: Table) -> Match:
    match = entry.matches("match")
    if not all(match.values()):
        raise entry.wrong("match", "an attribute without values matches nothing")
    return match


def _rows(table: Table, family: Table, common: Common) -> dict[str, Row]:
    removed = family.texts("remove")
    if unknown := set(removed) - set(common.rows):
        raise family.wrong("remove", f"no common row {', '.join(sorted(unknown))}")
    kept = {name: row for name, row in common.rows.items() if name not in removed}
    return {**kept, **rows.parse_all(table.tables("field"))}


def _own(shared: Mapping[str, Row], constants: Json, match: Match) -> dict[str, Row]:
    """Return the rows of one collection: those that no constant replaces, knowing what its records match."""
    return {name: rows.narrowed(row, match) for name, row in shared.items() if name not in constants}


def _assets(
    entry: Table, groups: Mapping[str, tuple[Table, ...]], convention: str | None
) -> dict[str, Asset]:
    tables: list[Table] = []
    for group in entry.texts("assets"):
        if group not in groups:
            raise entry.wrong("assets", f"no group {group!r}")
        tables += groups[group]
    found: dict[str, Asset] = {}
    for table in (*tables, *entry.tables("asset")):
        asset = assets.parse(Table(table.file, table.where, table.members, {"group"}), convention)
        if asset.key in found:
            raise table.wrong(
                "key", f"asset {asset.key!r} is there twice in collection {entry.members.get('id')!r}"
            )
        found[asset.key] = asset
    return found
