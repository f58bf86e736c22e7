"""The catalogue `terrascope` over its simulator, and what must come out of a search, told by the simulator's
own holdings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape

from stacbridge import geometry
from stacbridge.dialects.opensearch.dialect import OpenSearch
from stacbridge.mapping.mapping import load
from stacbridge.model import Found, Json, Query
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.opensearch import OpenSearchSimulator
from stacbridge.simulators.opensearch_products import Product
from stacbridge.upstream import Upstream
from tests.walks import Walks

ROOT = "https://bridge.example"
TOC, FAPAR, VGT, DEM = "terrascope-s2-toc-v2", "terrascope-s2-fapar-v2", "vgt-s10", "cop-dem-glo-30m-cog"
KEYS = {
    TOC: "urn:eop:VITO:TERRASCOPE_S2_TOC_V2",
    FAPAR: "urn:eop:VITO:TERRASCOPE_S2_FAPAR_V2",
    VGT: "urn:ogc:def:EOP:VITO:VGT_S10",
    DEM: "urn:eop:VITO:COP_DEM_GLO_30M_COG",
    "empty-v1": "urn:eop:VITO:EMPTY_V1",
}


def settings(simulator: OpenSearchSimulator, catalogue: str = "terrascope", **more: Any) -> Settings:
    """Return settings of a catalogue that lead to the simulator."""
    endpoints = {
        "description": f"{simulator.url}/catalogue/description",
        "download": f"{simulator.url}/download",
    }
    if catalogue != "cgls":
        endpoints["token"] = simulator.token_url
    account = {"username": simulator.username, "password": simulator.password}
    if catalogue == "hrvpp":
        account |= {"client_id": "a-client", "client_secret": "its-secret"}
    credentials = {} if catalogue == "cgls" else {catalogue: Credentials.model_validate(account)}
    return Settings(endpoints={catalogue: endpoints}, credentials=credentials, **more)


@contextmanager
def bridged(simulator: OpenSearchSimulator, folder: Path | None = None, **limits: int) -> Iterator[Upstream]:
    """Give the catalogue with its collections discovered; `limits` replace those of its file."""
    own = settings(simulator, catalogue_folder=folder, search_cache_seconds=1e-6)
    mapping = load("terrascope", own)
    mapping.limits |= limits
    upstream = Upstream(mapping, OpenSearch(mapping), own)
    try:
        upstream.collections()
        yield upstream
    finally:
        upstream.close()


def walked(upstream: Upstream, query: Query, most: int = 500) -> list[Found]:
    """Return all pages of a search."""
    pages = [upstream.search(query, ROOT)]
    while pages[-1].position is not None:
        assert len(pages) < most, "the walk does not end"
        pages.append(upstream.search(replace(query, position=pages[-1].position, count=False), ROOT))
    return pages


def items(upstream: Upstream, query: Query) -> list[Json]:
    """Return all Items of a search."""
    return [item for page in walked(upstream, query) for item in page.items]


def expected(simulator: OpenSearchSimulator, query: Query) -> list[str]:
    """Return the ids of all products that a search must find, each once."""
    keys = [KEYS[id] for id in query.collections or KEYS]
    return [p.title for key in keys for p in simulator.holdings.products[key] if _fits(p, query)]


def _fits(product: Product, query: Query) -> bool:
    if query.ids and product.title not in query.ids:
        return False
    if query.interval:
        if query.interval.start and product.end < query.interval.start:
            return False
        if query.interval.end and product.start > query.interval.end:
            return False
    places = [geometry.box(query.bbox)] if query.bbox else []
    places += [query.intersects] if query.intersects else []
    return all(shape(place).intersects(shapely.box(*product.bbox)) for place in places)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def ids(found: list[Json]) -> list[str]:
    return [item["id"] for item in found]


def pushed(simulator: OpenSearchSimulator) -> list[str]:
    return [each.query for each in simulator.log if each.path == "/catalogue/products"]


def opened(simulator: OpenSearchSimulator, **limits: int) -> Walks:
    """Return walks through a simulator, within these limits."""
    mapping = load("terrascope", settings(simulator))
    mapping.limits |= limits
    return Walks(OpenSearch(mapping), mapping)
