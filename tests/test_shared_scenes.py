"""Scenes that two simulated archives hold: each once or linked, over the whole bridge; end to end."""

from collections import Counter
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.loading import load
from stacbridge.model import Json
from stacbridge.settings import Settings
from stacbridge.simulators.archive import Archive
from stacbridge.simulators.demo import cdse, sedas
from stacbridge.simulators.sedas_shared import shared

SIZE = 30_000
CDSE = "sentinel-1-slc,sentinel-1-grd-non-cog,sentinel-2-l1c"
SEDAS = "sedas-sentinel-1,sedas-sentinel-2"


@pytest.fixture(scope="module")
def api() -> Iterator[TestClient]:
    with cdse(size=SIZE) as one, sedas(size=400, shared=SIZE) as other:
        sites = {"cdse": one, "sedas": other}
        settings = Settings.model_validate(
            {
                "catalogues": list(sites),
                "endpoints": {id: site["endpoints"] for id, site in sites.items()},
                "credentials": {id: site["account"] for id, site in sites.items()},
                "account_store": "files",
                "keep_sessions": False,
                "straggler_floor": 60,
            }
        )
        with TestClient(create_app(settings, [load(id, settings) for id in sites])) as client:
            yield client


@pytest.fixture(scope="module")
def both() -> dict[str, str]:
    """The names of the scenes that both hold, and a time around each."""
    return {product.name: f"{product.start:%Y-%m-%dT%H:%M:%SZ}" for product in shared(SIZE)}


def found(api: TestClient, **asked: str) -> list[Json]:
    reply = api.get("/search", params=asked)
    assert reply.status_code == 200, reply.text
    assert "federation:missing" not in reply.json()
    return list(reply.json()["features"])


def test_the_archives_share_scenes_of_both_missions(both: dict[str, str]) -> None:
    archive = Archive(SIZE)
    assert {name[:2] for name in both} == {"S1", "S2"}
    assert all(archive.row_of_name(f"{name}.SAFE") is not None for name in both)
    assert [product.name for product in shared(SIZE)] == list(both)


def test_each_shared_scene_comes_twice_as_it_is_and_once_when_that_is_asked(
    api: TestClient, both: dict[str, str]
) -> None:
    asked = {"collections": f"{CDSE},{SEDAS}", "ids": ",".join(both), "limit": "500"}
    assert Counter(item["id"] for item in found(api, **asked)) == Counter([*both, *both])
    alone = found(api, **asked, scenes="once")
    assert Counter(item["id"] for item in alone) == Counter(list(both))
    online = {item["id"] for item in alone if item["properties"]["order:status"] == "succeeded"}
    assert {item["collection"] for item in alone if item["id"] in online} <= set(CDSE.split(","))


def test_pages_by_time_have_each_shared_scene_once_and_all_others(
    api: TestClient, both: dict[str, str]
) -> None:
    times = sorted(both.values())
    asked = {"collections": f"{CDSE},{SEDAS}", "datetime": f"{times[0]}/{times[4]}", "limit": "1000"}
    plain = Counter(item["id"] for item in found(api, **asked))
    alone = Counter(item["id"] for item in found(api, **asked, scenes="once"))
    assert max(plain.values()) == 2
    assert alone == Counter(plain.keys())


def test_an_item_of_a_shared_scene_links_to_its_copy(api: TestClient, both: dict[str, str]) -> None:
    name = next(iter(both))
    for item in found(api, ids=name, scenes="linked"):
        links = {link["rel"]: link["href"].rpartition("/collections/")[2] for link in item["links"]}
        other = "sentinel-1-slc" if item["collection"] == "sedas-sentinel-1" else "sedas-sentinel-1"
        assert links["alternate"] == f"{other}/items/{name}"
        assert links["canonical"] == f"sentinel-1-slc/items/{name}"
