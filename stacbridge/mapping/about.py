"""What collections say of themselves, in STAC's own words: what a family and a catalogue share, and what each
adds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stacbridge.mapping import extensions
from stacbridge.mapping.assets import Asset
from stacbridge.mapping.rows import Row
from stacbridge.mapping.tables import Table
from stacbridge.model import Json

WORLD = [-180, -90, 180, 90]


@dataclass(frozen=True, slots=True)
class Common:
    """What the families of a catalogue share."""

    rows: Mapping[str, Row]
    groups: Mapping[str, tuple[Table, ...]]
    links: tuple[Json, ...]
    schemes: Json
    extensions: Mapping[str, str]


def about_of(table: Table) -> Json:
    """Return what a family or collection says of itself in STAC's own words."""
    about: Json = {key: table.optional(key, str) for key in ("license", "license_url")}
    about |= {key: table.optional(key, list) for key in ("keywords", "providers")}
    about["summaries"] = table.optional("summaries", dict)
    about |= {key: value for key, value in table.members.items() if ":" in key}
    table.taken.update(about)
    return {key: value for key, value in about.items() if value is not None}


def merged(family: Json, own: Json) -> Json:
    """Return what a collection says of itself: keywords and summaries after its family's, all else in their
    place."""
    keywords = [*family.get("keywords", []), *own.get("keywords", [])]
    summaries = {**family.get("summaries", {}), **own.get("summaries", {})}
    return {**family, **own, "keywords": keywords, "summaries": summaries}


def stac_of(entry: Table, about: Json, files: Mapping[str, Asset], common: Common) -> Json:
    """Make the STAC Collection, without API links."""
    url = about.pop("license_url", None)
    interval = [*entry.texts("temporal"), None, None][:2]
    stac = {
        "id": entry.take("id", str),
        "title": entry.take("title", str),
        "description": entry.take("description", str),
        "license": about.pop("license", "other"),
        **about,
        "extent": {
            "spatial": {"bbox": [(entry.optional("bbox", list) or WORLD)]},
            "temporal": {"interval": [interval]},
        },
        "item_assets": {key: asset.members for key, asset in files.items()},
        "links": licence(url) if url else [],
    }
    return published(stac, common)


def licence(url: str) -> list[Json]:
    """Return the link to a licence."""
    return [{"rel": "license", "href": url, "title": "Licence"}]


def published(stac: Json, common: Common) -> Json:
    """Return a STAC Collection with what all of a catalogue have; empty members are left out."""
    whole = {"type": "Collection", "stac_version": "1.1.0", "stac_extensions": [], **stac, **common.schemes}
    whole["stac_extensions"] = extensions.of(extensions.members(whole), common.extensions)
    return {key: value for key, value in whole.items() if value or key in ("links", "stac_extensions")}
