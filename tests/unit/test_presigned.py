"""Hrefs that an upstream has presigned: clients are sent there, as long as they are good for."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from pydantic import SecretStr

from stacbridge.access.presigned import end, is_presigned
from stacbridge.app import create_app
from stacbridge.dialects.registry import dialect_of
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Ready, Request
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from tests.api.archive import collection, item
from tests.api.serving import running
from tests.servers import Answer, Clock, Seen, serving
from tests.unit.download_servers import FILE, PATH, Bridge, OneAsset
from tests.unit.walled import HABITS, TOML

HOST = "https://bucket.example.eu/scene.tif"
AMAZON = f"{HOST}?X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-Signature=abc"
NEW_YEAR = 1767225600.0
SIGNED = [
    (AMAZON, NEW_YEAR + 900),
    (f"{HOST}?X-Goog-Date=20260101T000000Z&X-Goog-Expires=60&X-Goog-Signature=ab", NEW_YEAR + 60),
    (f"{HOST}?sv=2024-01-01&se=2026-01-01T01%3A00%3A00Z&sr=b&sig=a%2Fb%3D", NEW_YEAR + 3600),
    (f"{HOST}?AWSAccessKeyId=a&Signature=b&Expires=1767225600", NEW_YEAR),
    (f"{HOST}?Key-Pair-Id=k&Signature=b&Policy=c&Expires=soon", None),
    (f"{HOST}?X-Amz-Signature=abc&X-Amz-Date=yesterday&X-Amz-Expires=900", None),
]


@pytest.mark.parametrize(("url", "moment"), SIGNED)
def test_signed_urls_are_known_by_their_parameters_and_tell_when_they_end(
    url: str, moment: float | None
) -> None:
    assert (is_presigned(url), end(url)) == (True, moment)


@pytest.mark.parametrize("query", ["", "?sig=a", "?expires=1", "?t=x-amz-signature", "#X-Amz-Signature=a"])
def test_other_urls_are_not(query: str) -> None:
    assert not is_presigned(f"{HOST}{query}")


class Service:
    """A STAC API with one Item, whose asset is at `href()`."""

    def __init__(self, href: Callable[[], str]) -> None:
        self.href = href
        self.searches = 0

    def __call__(self, seen: Seen) -> Answer:
        if seen.path.startswith("/collections"):
            items = {"rel": "items", "href": "items", "type": "application/geo+json"}
            told = {**collection("optical-l1"), "links": [items]}
            return Answer(body=orjson.dumps({"collections": [told], "links": []}))
        self.searches += 1
        found = item("optical-l1", 1)
        found["assets"] = {"image": {"href": self.href(), "type": "image/tiff"}}
        return Answer(body=orjson.dumps({"type": "FeatureCollection", "features": [found], "links": []}))


def settings(folder: Path, url: str, flow: str = "none") -> Settings:
    method, language = HABITS["get"]
    toml = TOML.format(method=method, language=language).replace('"basic"', f'"{flow}"')
    (folder / "walled.toml").write_text(toml.replace("searches = true", ""))
    given: dict[str, Any] = {
        "catalogue_folder": folder,
        "catalogues": ["walled"],
        "endpoints": {"walled": {"catalogue": url}},
        "order_store": SecretStr(f"sqlite:///{folder}/orders.sqlite"),
    }
    if flow == "basic":
        given["credentials"] = {"walled": Credentials(username="ann", password=SecretStr("pw"))}
    return Settings(**given)


def test_a_client_is_sent_to_a_presigned_href(tmp_path: Path) -> None:
    end = int(time.time()) + 3600
    href = f"{HOST}?Signature=a%2Fb&Expires={end}"
    with (
        serving(Service(lambda: href)) as server,
        running(create_app(settings(tmp_path, server.url))) as root,
    ):
        found = requests.get(f"{root}/collections/optical-l1/items/optical-l1-0001", timeout=10).json()
        told = requests.get(found["assets"]["image"]["href"], allow_redirects=False, timeout=10)
        assert (told.status_code, told.headers["Location"]) == (307, href)
        assert told.headers["Cache-Control"] == "no-store"


def test_a_head_is_answered_here_where_the_size_is_stated_since_the_url_is_signed_for_get() -> None:
    ready = Ready(Request("GET", f"{HOST}?Signature=a"), "scene.tif", "image/tiff", ranges=True, size=1234)
    catalogue = OneAsset(replace(ready, presigned=True))
    path = PATH.replace(FILE, ready.name)
    with Bridge(catalogue) as bridge:
        told = bridge.ask("HEAD", path)
        assert (told.status, told.headers["content-length"]) == (200, "1234")
        assert bridge.ask(path=path).status == 307


def test_a_presigned_href_that_ends_soon_is_asked_for_anew(tmp_path: Path) -> None:
    clock = Clock(NEW_YEAR)
    service = Service(lambda: f"{HOST}?Signature=a&Expires={int(clock.now) + 100}")
    with serving(service) as server:
        given = settings(tmp_path, server.url)
        mapping = load_mapping("walled", given)
        upstream = Upstream(mapping, dialect_of(mapping), given, wall=clock)
        upstream.collections()
        hrefs, searches, known = [], [], []
        for _ in range(3):
            known.append(upstream.located("optical-l1", "optical-l1-0001", "image"))
            found = upstream.locate("optical-l1", "optical-l1-0001", "image")
            assert isinstance(found, Ready) and found.presigned
            hrefs.append(found.request.url[-10:])
            searches.append(service.searches)
            clock.now += 30
        upstream.close()
    assert hrefs == ["1767225700", "1767225700", "1767225760"]
    assert searches == [1, 1, 2]
    assert [place and place.request.url[-10:] for place in known] == [None, "1767225700", None]


def test_an_href_that_wants_the_account_too_is_fetched_for_the_client(tmp_path: Path) -> None:
    with serving(lambda seen: None) as server:
        service = Service(lambda: f"{server.url}/scene.tif?Signature=a&Expires=99999999999")
        server.script = service
        upstream = load("walled", settings(tmp_path, server.url, flow="basic"))
        upstream.collections()
        found = upstream.locate("optical-l1", "optical-l1-0001", "image")
        assert isinstance(found, Ready) and not found.presigned
        upstream.close()
