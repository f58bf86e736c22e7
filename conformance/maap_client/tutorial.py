"""Find and fetch Biomass products the way ESA's MAAP tutorial does, with pystac-client as published.

    python tutorial.py CATALOGUE_URL FOLDER [ACCESS_TOKEN]

Prints what it found as one line of JSON. The tutorial asks the catalogue by GET, since its filters are text.
"""

import json
import sys
from pathlib import Path
from typing import Any

import requests
from pystac import Item
from pystac_client import Client

TIMEOUT = 60


def main(url: str, folder: Path, token: str | None) -> dict[str, Any]:
    """Walk through the tutorial; returns what each step found."""
    catalog = Client.open(url)
    collection: Any = catalog.get_collection("BiomassLevel1b")
    found: dict[str, Any] = {
        "title": collection.title,
        "collections": sorted(entry.id for entry in catalog.get_collections()),
        "queryables": sorted(collection.get_queryables()["properties"]),
        "about biomass": sorted(entry.id for entry in catalog.collection_search(q="Biomass").collections()),
        "in 2022": sorted(
            entry.id for entry in catalog.collection_search(datetime="2022-01-02/2022-01-03").collections()
        ),
    }
    for name, condition in {
        "by title": "title='Biomass Level 1b'",
        "by platform": "platform='Biomass'",
        "by organisation": "organisationName='ESA/ESRIN'",
    }.items():
        found[name] = sorted(entry.id for entry in catalog.collection_search(filter=condition).collections())
    searches: dict[str, dict[str, Any]] = {
        "by time and box": {
            "bbox": [-180, -60, 0, 60],
            "datetime": "2025-06-01T00:00:00Z/2025-06-08T00:00:00Z",
        },
        "by open time": {"datetime": "2025-06-10T00:00:00Z/.."},
        "by area": {"intersects": {"type": "Point", "coordinates": [-134.8, -16.8]}},
        "by type and instrument": {"filter": "productType='S1_DGM__1S' and instrument='P-SAR'"},
        "by its new name": {"filter": "(product:type='S2_DGM__1S')"},
        "by orbit": {"filter": "productType = 'S1_DGM__1S' and orbitDirection = 'ASCENDING'"},
        "by change": {"filter": "modificationDate > TIMESTAMP('2025-06-10T09:54:34.651Z')"},
    }
    items: list[Item] = []
    for name, asked in searches.items():
        search = catalog.search(collections=["BiomassLevel1b"], method="GET", limit=25, **asked)
        items = list(search.items())
        found[name] = {"matched": search.matched(), "ids": sorted(item.id for item in items)}
    chosen = next(catalog.search(ids=[items[0].id], collections=["BiomassLevel1b"], method="GET").items())
    found["files"] = fetched(chosen, folder, token)
    return found


def fetched(item: Item, folder: Path, token: str | None) -> dict[str, int]:
    """Download the product and its files; returns their sizes by asset key."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    sizes = {}
    for key, asset in item.assets.items():
        with requests.get(asset.href, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            file = folder / key
            with file.open("wb") as out:
                for chunk in answer.iter_content(65536):
                    out.write(chunk)
        sizes[key] = file.stat().st_size
    return sizes


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), (*sys.argv[3:], None)[0])))
