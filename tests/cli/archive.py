"""A small archive: a real STAC API over items in memory, whose assets a loopback server holds."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from stacbridge.app import create_app
from stacbridge.commands.bridge import running
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.cli.fileserver import FileServer, Served

COLLECTION = "grd"
ITEMS = 5


def product(number: int) -> bytes:
    return b"PK\x03\x04" + bytes([number]) * (996 + number)


def md5(data: bytes) -> str:
    return "d50110" + hashlib.md5(data).hexdigest()


def item(number: int, files: FileServer, stated_size: int | None = None) -> Json:
    id, data = f"S1A_{number}", product(number)
    archive = files.serve(f"/{id}.zip", Served(data))
    band = files.serve(f"/{id}-vv.tiff", Served(b"II*\x00vv"))
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": id,
        "collection": COLLECTION,
        "geometry": {"type": "Point", "coordinates": [number, 46]},
        "bbox": [number, 46, number, 46],
        "properties": {
            "datetime": f"2024-06-0{number}T00:00:00Z",
            "eo:cloud_cover": 10.0 * number,
            "order:status": "succeeded",
        },
        "links": [],
        "assets": {
            "Product": {
                "href": archive,
                "type": "application/zip",
                "roles": ["archive"],
                "file:size": stated_size or len(data),
                "file:checksum": md5(data),
            },
            "vv": {"href": band, "type": "image/tiff", "roles": ["data"]},
        },
    }


def collection() -> Json:
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": COLLECTION,
        "title": "GRD",
        "description": "Ground range detected.",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2014-10-03T00:00:00Z", None]]},
        },
        "links": [],
    }


@contextmanager
def archive(
    files: FileServer, stated_size: int | None = None, settings: Settings | None = None
) -> Iterator[str]:
    """Serve the archive; gives the API's URL. `stated_size` is what items say, if not the truth."""
    items = [item(number, files, stated_size) for number in range(1, ITEMS + 1)]
    catalogue = MemoryCatalogue("toy", [collection()], items)
    with running(create_app(settings or Settings(), [catalogue])) as url:
        yield url
