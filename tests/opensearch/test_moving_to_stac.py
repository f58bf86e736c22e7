"""Terrascope moves from OpenSearch to STAC by a change of its file; what scripts get stays as it is."""

from pathlib import Path

from pystac_client import Client

from stacbridge.app import create_app
from stacbridge.loading import load
from stacbridge.model import Json
from stacbridge.settings import Settings
from stacbridge.simulators.opensearch import OpenSearchSimulator
from tests.api.serving import running
from tests.opensearch.terrascope import TOC, VGT, bridged, settings

STAC = """
id = "terrascope"
title = "Terrascope"
dialect = "stac"
[endpoints]
catalogue = "{url}/"
[access]
flow = "none"
[limits]
connections = 4
"""


def script(url: str) -> tuple[list[str], list[Json]]:
    """What a user has written: collections, and the newest items of two with the keys of their assets."""
    client = Client.open(url)
    pages = client.search(collections=[TOC, VGT], datetime="2002-05-01/2020-01-04", limit=9).pages_as_dicts()
    items = [item for page in pages for item in page["features"]]
    kept = [
        {"id": item["id"], "collection": item["collection"], "assets": sorted(item["assets"])}
        for item in items
    ]
    return sorted(each.id for each in client.get_collections()), kept


def test_a_script_gives_the_same_after_the_move(tmp_path: Path) -> None:
    with (
        OpenSearchSimulator(size=60) as simulator,
        bridged(simulator) as upstream,
        running(create_app(settings(simulator), [upstream])) as before,
    ):
        (tmp_path / "terrascope.toml").write_text(STAC.format(url=before), encoding="utf-8")
        moved = load("terrascope", Settings(catalogue_folder=tmp_path))
        with running(create_app(Settings(), [moved])) as after:
            collections, items = script(before)
            assert (collections, items) == script(after)
    assert TOC in collections
    assert {item["collection"] for item in items} == {TOC, VGT}
