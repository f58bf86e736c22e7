"""A small made-up archive: two catalogues, three collections, items on a grid."""

from datetime import UTC, datetime, timedelta

from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json

START = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(hours=7, minutes=13, seconds=21, milliseconds=123)
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
ORIGIN = "https://origin.example/products"


def collection(id: str) -> Json:
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": id,
        "title": id.replace("-", " ").title(),
        "description": f"Made-up scenes of {id}.",
        "keywords": ["made-up"],
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2024-01-01T00:00:00Z", None]]},
        },
        "links": [
            {"rel": "license", "href": "https://license.example/", "type": "text/html", "title": "License"}
        ],
    }


def item(collection_id: str, number: int, origin: str = ORIGIN) -> Json:
    """Return the item of a collection at a place and time that its number decides."""
    west, south = 10 + number % 20, 10 + number // 20 % 20
    east, north = west + 0.9, south + 0.9
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    time = (START + number * STEP).isoformat(timespec="microseconds").replace("+00:00", "Z")
    id = f"{collection_id}-{number:04}"
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": id,
        "collection": collection_id,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [west, south, east, north],
        "properties": {
            "datetime": time,
            "created": "2024-06-01T00:00:00Z",
            "platform": f"{collection_id.partition('-')[0]}-{'ab'[number % 2]}",
            "eo:cloud_cover": number % 97 + 1.5,
        },
        "links": [],
        "assets": {
            "image": {"href": f"{origin}/{id}.tif", "type": COG, "title": "Image", "roles": ["data"]},
        },
    }


def alpha(origin: str = ORIGIN) -> MemoryCatalogue:
    items = [item("optical-l1", number, origin) for number in range(420)]
    items += [item("radar-grd", number, origin) for number in range(30)]
    return MemoryCatalogue("alpha", [collection("optical-l1"), collection("radar-grd")], items)


def beta(origin: str = ORIGIN) -> MemoryCatalogue:
    items = [item("thermal-l2", number, origin) for number in range(45)]
    return MemoryCatalogue("beta", [collection("thermal-l2")], items, title="Beta")
