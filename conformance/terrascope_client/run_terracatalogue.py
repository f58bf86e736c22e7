"""Use terracatalogueclient as its documentation shows, and print what came of it.

run_terracatalogue.py CONFIGURATION USERNAME PASSWORD FOLDER
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from terracatalogueclient import Catalogue
from terracatalogueclient.client import ProductFileType
from terracatalogueclient.config import CatalogueConfig
from terracatalogueclient.exceptions import (
    ProductDownloadException,
    SearchException,
    TooManyResultsException,
)

TOC = "urn:eop:VITO:TERRASCOPE_S2_TOC_V2"
SEARCHES: dict[str, dict[str, Any]] = {
    "start and end": {"start": dt.date(2020, 1, 3), "end": dt.datetime(2020, 1, 5, 12)},
    "bbox": {"bbox": [4.4, 50.4, 4.5, 50.5]},
    "bbox as dict": {"bbox": {"west": 4.4, "south": 50.4, "east": 4.5, "north": 50.5}},
    "geometry": {"geometry": "POLYGON ((4.4 50.4, 4.5 50.4, 4.4 50.5, 4.4 50.4))"},
    "productType": {"productType": "TOC", "tileId": "31UES"},
    "relativeOrbitNumber": {"relativeOrbitNumber": 9},
    "orbitDirection": {"orbitDirection": "ASCENDING"},
    "cloudCover": {"cloudCover": 40},
    "cloudCover interval": {"cloudCover": (10, 40)},
    "cloudCover open": {"cloudCover": (50, None)},
    "cloudCover text": {"cloudCover": "[10,20["},
    "cloudCover any": {"cloudCover": (None, None), "tileId": "31UES"},
    "tileId": {"tileId": "31UFS"},
    "productGroupId": {"productGroupId": "20200103"},
    "publicationDate": {"publicationDate": (dt.date(2020, 1, 10), dt.date(2020, 1, 12))},
    "modificationDate": {"modificationDate": ("2020-01-10T00:00:00Z", None)},
    "accessedFrom": {"accessedFrom": "S3", "tileId": "31UES"},
    "resolution": {"resolution": 10, "tileId": "31UES"},
    "clientId": {"clientId": "stacbridge", "tileId": "31UES"},
    "productVersion": {"productVersion": "V210"},
    "limit": {"limit": 7},
    "no such tile": {"tileId": "99ZZZ"},
}


def main(configuration: str, username: str, password: str, folder: Path) -> dict[str, Any]:
    """Run everything; returns what the test looks at."""
    config = CatalogueConfig.from_file(configuration)
    open_catalogue = Catalogue(config)
    found = {
        name: [p.id for p in open_catalogue.get_products(TOC, **given)] for name, given in SEARCHES.items()
    }
    told = {
        "collections": [collection.id for collection in open_catalogue.get_collections()],
        "platform": [collection.id for collection in open_catalogue.get_collections(platform="SPOT")],
        "searches": found,
        "by title": [
            p.id for p in open_catalogue.get_products(TOC, title=found["limit"][0].rpartition(":")[2])
        ],
        "by uid": [p.id for p in open_catalogue.get_products(TOC, uid=found["limit"][0])],
        "count": open_catalogue.get_product_count(TOC, tileId="31UFS"),
        "refused": refused(open_catalogue),
        "too many": too_many(open_catalogue),
        "without login": denied(open_catalogue, folder),
    }
    catalogue = Catalogue(config).authenticate_non_interactive(username, password)
    for product in catalogue.get_products(TOC, limit=2):
        catalogue.download_product(product, str(folder / "all"), ProductFileType.ALL)
    for kind in (ProductFileType.DATA, ProductFileType.RELATED, ProductFileType.ALTERNATES):
        for product in catalogue.get_products(TOC, limit=1):
            catalogue.download_product(product, str(folder / str(kind).rpartition(".")[2]), kind)
    return told


def refused(catalogue: Catalogue) -> dict[str, str]:
    """Return what the service says of searches that are wrong."""
    told = {}
    for given in ({"test": "test"}, {"orbitDirection": "test"}, {"geometry": "polygon"}):
        try:
            list(catalogue.get_products(TOC, **given))
        except SearchException as error:
            told[next(iter(given))] = str(error)
    return told


def too_many(catalogue: Catalogue) -> str:
    """Return what the client says of more than it can page through."""
    try:
        next(iter(catalogue.get_products(TOC)))
    except TooManyResultsException as error:
        return str(error)
    return ""


def denied(catalogue: Catalogue, folder: Path) -> str:
    """Return what becomes of a download by a stranger."""
    product = next(iter(catalogue.get_products(TOC, limit=1)))
    try:
        catalogue.download_product(product, str(folder / "denied"), ProductFileType.DATA)
    except ProductDownloadException as error:
        return str(error)
    files = [file for file in (folder / "denied").rglob("*") if file.is_file()]
    return f"{sum(file.stat().st_size for file in files)} bytes"


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
