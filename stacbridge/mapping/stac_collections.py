"""Collections of another STAC API as ones of ours."""

from typing import Any

from stacbridge import scalars
from stacbridge.mapping import extents
from stacbridge.mapping.stac_parts import (
    STAC_VERSION,
    Frame,
    kept_links,
    listed,
    members,
    own_url,
    schemas,
    with_bare_doi,
)
from stacbridge.model import Json

UNTOLD_LICENCES = (None, "", "various", "proprietary")
"""STAC 1.1 has "other" for what is no SPDX identifier."""


def collection(entry: Json, frame: Frame) -> Json | None:
    """Return a Collection without API links; `None` where it has no id, or no page of items to search."""
    links = listed(entry, "links")
    if not isinstance(entry.get("id"), str) or not any(link.get("rel") == "items" for link in links):
        return None
    told = {name: value for name, value in entry.items() if value is not None and name != "collection"}
    shown = with_bare_doi(told)
    title = shown.get("title") or entry["id"]
    licence = shown.get("license")
    stac = {
        **shown,
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "title": title,
        "description": shown.get("description") or title,
        "license": "other" if licence in UNTOLD_LICENCES else licence,
        "extent": _extent(members(entry, "extent")),
        "links": kept_links(entry, own_url(entry, frame)),
    }
    if frame.schemes:
        stac["auth:schemes"] = {**members(entry, "auth:schemes"), **frame.schemes}
    return {**stac, "stac_extensions": schemas(stac, frame)}


def _extent(told: Json) -> Json:
    spans = [[_bound(span, 0), _bound(span, 1)] for span in _lists(members(told, "temporal").get("interval"))]
    return {
        "spatial": {"bbox": extents.boxes(_lists(members(told, "spatial").get("bbox")))},
        "temporal": {"interval": spans or [[None, None]]},
    }


def _bound(span: list[Any], end: int) -> str | None:
    return scalars.time(span[end]) if len(span) == 2 else None


def _lists(value: Any) -> list[list[Any]]:
    return [entry for entry in value if isinstance(entry, list)] if isinstance(value, list) else []
