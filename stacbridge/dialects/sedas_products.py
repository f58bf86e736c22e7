"""SeDAS products as canonical records: read tolerantly, completed from their names, nothing made up.

Only `supplierId`, `downloadUrl` (absent while the bytes are in the long-term archive), `coordinatesWKT` and
`instrumentName` are known from clients of SeDAS (sedas-pyapi 0.5.0). The other names are those of Geocento's
EarthImages API, whose forms of requests and answers SeDAS shares; each of them may be missing, and times may
be ISO 8601 or seconds or milliseconds since 1970.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from stacbridge import scalars
from stacbridge.dialects.sedas_names import stated
from stacbridge.errors import UpstreamError
from stacbridge.mapping.families import Collection
from stacbridge.model import Json, Reply
from stacbridge.wire.answers import read_json, sanitise, told

MILLISECONDS = 10**11
"""Numbers from here on are milliseconds since 1970, smaller ones seconds (this many would be the year
5138)."""
OF_THE_SEARCH = ("aoiCoveragePercent", "usefulAreaPercent")
"""Members that describe the search's area rather than the product."""


def listed(reply: Reply, upstream: str) -> list[Any]:
    """Return the products in an answer: `{"products": […]}` of a search, or the bare list of a look-up.

    Raises `UpstreamError` for anything else, also where it comes with an error of the service's own.
    """
    body = read_json(reply, upstream)
    products = body.get("products") if isinstance(body, dict) else body
    failed = isinstance(body, dict) and bool(body.get("errorCode"))
    if failed or not isinstance(products, list):
        message = body.get("errorMessage") if isinstance(body, dict) else None
        raise UpstreamError(
            f"{upstream} answered no list of products.",
            upstream=upstream,
            asked=reply.url or None,
            answered=sanitise(message) if isinstance(message, str) else told(reply),
        )
    return products


class Products:
    """Makes records; knows which source group each satellite of a catalogue belongs to."""

    def __init__(self, specs: Iterable[Collection]) -> None:
        self._groups: dict[str, str] = {}
        self._satellites: dict[str, str] = {}
        self._group_of: dict[str, str] = {}
        for spec in specs:
            self._groups[_key(spec.family)] = spec.family
            for satellite in satellites(spec):
                self._satellites[_key(satellite)] = satellite
                self._group_of[satellite] = spec.family

    def record(self, product: Json, group: str | None) -> Json:
        """Return the canonical record of a product that was found in source group `group` (`None`: in any).

        Its group is the one that it tells, else that of its satellite, else the one that was asked for.
        """
        name = scalars.text(product.get("supplierId"))
        sources = [_filled(product), _vendor(product), stated(name) if name else {}]
        fields = {**sources[2], **sources[1], **sources[0]}
        satellite = scalars.text(fields.get("satelliteName"))
        if satellite is not None:
            fields["satelliteName"] = satellite = self._satellites.get(_key(satellite), satellite)
        own = scalars.text(fields.get("sourceGroup"))
        if own is not None:
            group = self._groups.get(_key(own), own)
        else:
            group = self._group_of.get(satellite or "", group)
        fields["sourceGroup"] = group
        if isinstance(fields.get("polarisation"), str):
            fields["polarisation"] = re.sub(r"[+;|]", " ", fields["polarisation"])
        start, stop = (_first_time(sources, member) for member in ("start", "stop"))
        url = scalars.text(product.get("downloadUrl"))
        return {
            "Id": name,
            "Name": name,
            "ContentDate": {"Start": start, "End": stop or start},
            "Footprint": fields.get("coordinatesWKT"),
            "Attributes": {**fields, "ascendingNodeDate": instant(fields.get("ascendingNodeDate"))},
            "Online": url is not None,
            "DownloadUrl": url,
            "Files": _files(product),
        }

    def groups(self, names: Iterable[str]) -> tuple[set[str], set[str]]:
        """Sort the names of source groups into those that the catalogue knows, as it spells them, and
        others."""
        found = {name: self._groups.get(_key(name)) for name in names}
        known = {group for group in found.values() if group is not None}
        return known, {name for name, group in found.items() if group is None}


def satellites(spec: Collection) -> tuple[str, ...]:
    """Return the names that SeDAS gives the satellites of a collection."""
    row = spec.rows.get("platform")
    return tuple(str(value) for value in row.values) if row is not None and row.values else ()


def instant(value: Any) -> str | None:
    """Read ISO 8601 text or seconds or milliseconds since 1970 as RFC 3339 in UTC, `None` for all else."""
    number = scalars.double(value) if not isinstance(value, bool) else None
    if number is None or (isinstance(value, str) and len(value) == 8):  # eight digits are a date
        return scalars.time(value)
    seconds = number / 1000 if abs(number) >= MILLISECONDS else number
    try:
        return scalars.rfc3339(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, OSError, ValueError):
        return None


def _first_time(sources: Iterable[Json], member: str) -> str | None:
    """Return the first time that can be read; an unreadable one is as good as none."""
    return next(filter(None, (instant(source.get(member)) for source in sources)), None)


def _filled(product: Mapping[str, Any]) -> Json:
    return {name: value for name, value in product.items() if value is not None and name not in OF_THE_SEARCH}


def _vendor(product: Mapping[str, Any]) -> Json:
    """Return `vendorAttributes`, which is a JSON object within a string; empty where it is not."""
    text = product.get("vendorAttributes")
    try:
        found = orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError:
        return {}
    return _filled(found) if isinstance(found, dict) else {}


def _files(product: Mapping[str, Any]) -> list[Json]:
    thumbnail = product.get("thumbnail")
    if not isinstance(thumbnail, str):
        return []
    kind = "image/png" if thumbnail.partition("?")[0].lower().endswith(".png") else "image/jpeg"
    file = {"key": "thumbnail", "href": thumbnail, "type": kind, "title": "Thumbnail"}
    return [{**file, "roles": ["thumbnail"]}]


def _key(name: str) -> str:
    """Return a name by which spellings of it are the same: `Cosmo-SkyMed`, `COSMO SKYMED`."""
    return re.sub(r"[\W_]+", "", name).casefold()
