"""Features as the records that a mapping reads: see `mapping.products`.

`Attributes` are the feature's properties under their plain names; those of `acquisitionInformation` (a list
or an object, its platform, instrument and acquisition parameters in one element or several),
`productInformation` and `additionalAttributes` as if they stood beside the others. What is nearer wins.
"""

from collections.abc import Iterator
from typing import Any

from stacbridge.dialects.opensearch.files import files
from stacbridge.dialects.opensearch.gml import SWAPPED
from stacbridge.model import Json
from stacbridge.scalars import double

NESTED = ("acquisitionInformation", "productInformation", "additionalAttributes")
STARTS = ("beginningDateTime", "startDate", "sensingStartDate", "beginPosition")
ENDS = ("endingDateTime", "completionDate", "sensingStopDate", "endPosition")
ONLINE = {"ONLINE": True, "OFFLINE": False, "ORDERABLE": False, "DISK": True, "TAPE": False}
"""What services say of a product's place; 17-047r1's own `status` (ARCHIVED …) says nothing of it."""
COVERS = ("cloudCover", "snowCover")
ORBITS = ("orbitNumber", "relativeOrbitNumber")
MAX_DEPTH = 8


def record(feature: Json, parent: str | None = None, moment: str | None = None) -> Json:
    """Return the record of a feature; `parent` is what the service calls its collection.

    `moment` names the property that is the product's time where it states none. A feature that cannot be
    right says why in `Unfit`.
    """
    given = feature.get("properties")
    properties: Json = given if isinstance(given, dict) else {}
    attributes = flat(properties)
    id = feature.get("id") or attributes.get("identifier")
    start, end = times(attributes)
    if start is None and moment is not None:
        start = end = attributes.get(moment)
    geometry = feature.get("geometry")
    found = {
        "Id": str(id) if id else None,
        "Name": item_name(str(id), parent or attributes.get("parentIdentifier")) if id else None,
        "ContentDate": {"Start": start, "End": end},
        "GeoFootprint": geometry,
        "Attributes": attributes,
        "Online": _online(properties, attributes),
        "Files": files(properties),
    }
    return {**found, "Unfit": SWAPPED} if _is_swapped(geometry) else found


def item_name(id: str, parent: Any) -> str:
    """Return a feature's id without the one of its collection before it, as Terrascope's STAC API has it."""
    return id.removeprefix(f"{parent}:") or id


def flat(properties: Json) -> Json:
    """Return the plain values of properties by name, nested ones after the others.

    resto writes -1 for covers and 0 for orbits that it does not know, and a cloud cover of 0 for radar
    (documentation.dataspace.copernicus.eu, OpenSearch): such values are left out.
    """
    found: Json = {}
    for name, value in _leaves(properties, NESTED, 0):
        found.setdefault(name, value)
    return {name: value for name, value in found.items() if not _is_unknown(name, value, found)}


def _is_unknown(name: str, value: Any, attributes: Json) -> bool:
    if name in COVERS:
        number = double(value)
        radar = "SAR" in (attributes.get("instrument"), attributes.get("instrumentShortName"))
        return number is None or not 0 <= number <= 100 or (radar and number == 0)
    return name in ORBITS and double(value) in (None, 0)


def _leaves(members: Json, nested: tuple[str, ...] | None, depth: int) -> Iterator[tuple[str, Any]]:
    below: list[Json] = []
    for name, value in members.items():
        if _is_plain(value):
            yield name, value
        elif nested is None or name in nested:
            below += [
                part for part in (value if isinstance(value, list) else [value]) if isinstance(part, dict)
            ]
    for part in below if depth < MAX_DEPTH else ():
        yield from _leaves(part, None, depth + 1)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(part, str | int | float) for part in value)
    return isinstance(value, str | int | float)


def times(attributes: Json) -> tuple[Any, Any]:
    """Return start and end: their own properties, else `date`, an instant or an interval `a/b`."""
    start = next((attributes[name] for name in STARTS if attributes.get(name)), None)
    end = next((attributes[name] for name in ENDS if attributes.get(name)), None)
    if start is None and isinstance(attributes.get("date"), str):
        start, _, until = attributes["date"].partition("/")
        end = end or until
    return start or None, end or start or None


def _online(properties: Json, attributes: Json) -> bool | None:
    storage = properties.get("storage")
    told = [attributes.get("onlineStatus"), attributes.get("status")]
    told += [storage.get("mode")] if isinstance(storage, dict) else []
    return next((ONLINE[str(word).upper()] for word in told if str(word).upper() in ONLINE), None)


def _is_swapped(geometry: Any) -> bool:
    """Tell whether a geometry has latitudes that only longitudes can be."""
    level: list[Any] = [geometry.get("coordinates")] if isinstance(geometry, dict) else []
    for _ in range(MAX_DEPTH):
        if not level or not all(isinstance(part, list) and part for part in level):
            return False
        if all(isinstance(part[0], int | float) for part in level):
            latitudes = (part[1] for part in level if len(part) > 1)
            return any(isinstance(found, int | float) and 90 < abs(found) <= 360 for found in latitudes)
        level = [below for part in level for below in part]
    return False
