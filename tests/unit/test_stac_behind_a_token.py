"""Any STAC API is a TOML file: here the bridge itself, behind a password, over a catalogue in memory."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from stacbridge.app import create_app
from stacbridge.errors import Misconfigured, UpstreamRefused
from stacbridge.loading import load
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Interval, Json, Query, SortKey
from stacbridge.settings import Credentials, Settings
from stacbridge.upstream import Upstream
from tests.api.archive import alpha
from tests.api.serving import products, running
from tests.unit.walled import HABITS, TOML

ROOT = "http://bridge"
ACCOUNT = Credentials(username="ann", password=SecretStr("secret-of-ann"))
WANTED = b"Basic " + b64encode(b"ann:secret-of-ann")
_NONE = {"method": "GET", "language": "none"}
COLLECTION = ("optical-l1",)


def walled(app: ASGIApp) -> ASGIApp:
    """Let in only who brings the password."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or dict(scope["headers"]).get(b"authorization") == WANTED:
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"who are you?"})

    return answer


@pytest.fixture(scope="module")
def archive() -> Iterator[tuple[MemoryCatalogue, str]]:
    with products() as origin:
        catalogue = alpha(origin)
        with running(walled(create_app(Settings(), [catalogue]))) as url:
            yield catalogue, url


def written(folder: Path, url: str, habits: str, account: Credentials = ACCOUNT) -> Settings:
    method, language = HABITS[habits]
    (folder / "walled.toml").write_text(TOML.format(method=method, language=language))
    return Settings(
        catalogue_folder=folder,
        catalogues=["walled"],
        endpoints={"walled": {"catalogue": url}},
        credentials={"walled": account},
    )


@pytest.fixture(params=HABITS)
def upstream(
    archive: tuple[MemoryCatalogue, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Upstream]:
    catalogue = load("walled", written(tmp_path, archive[1], request.param))
    catalogue.collections()
    yield catalogue
    catalogue.close()


def walked(catalogue: Upstream | MemoryCatalogue, query: dict[str, Any]) -> list[str]:
    found: list[str] = []
    position: Json | None = None
    while True:
        page = catalogue.search(Query(**query, position=position), ROOT)
        found += [item["id"] for item in page.items]
        position = page.position
        if position is None:
            return found


def compare(name: str, op: str, value: Any) -> Json:
    return {"op": op, "args": [{"property": name}, value]}


SQUARE = [[[12.5, 12.5], [20.2, 12.5], [20.2, 25.5], [12.5, 25.5], [12.5, 12.5]]]
QUERIES: dict[str, dict[str, Any]] = {
    "everything": {},
    "one collection": {"collections": COLLECTION},
    "ids": {"ids": ("optical-l1-0003", "radar-grd-0004", "nothing")},
    "many ids": {"ids": tuple(f"optical-l1-{number:04}" for number in range(400))},
    "box": {"bbox": (12.0, 11.0, 16.5, 20.5)},
    "area": {"intersects": {"type": "Polygon", "coordinates": SQUARE}},
    "time": {"interval": Interval(datetime.fromisoformat("2024-02-01T00:00:00Z"), None)},
    "number": {"filter": compare("eo:cloud_cover", "<", 20.5), "collections": COLLECTION},
    "text": {"filter": compare("platform", "=", "optical-a"), "collections": COLLECTION},
    "pattern": {"filter": compare("platform", "like", "%-b"), "collections": COLLECTION},
    "not a pattern": {
        "filter": {"op": "not", "args": [compare("platform", "like", "%-b")]},
        "collections": COLLECTION,
    },
    "or within and": {
        "collections": COLLECTION,
        "filter": {
            "op": "and",
            "args": [
                {
                    "op": "or",
                    "args": [compare("id", "=", "optical-l1-0001"), compare("id", ">", "optical-l1-04")],
                },
                compare("datetime", "<", {"timestamp": "2024-05-01T00:00:00Z"}),
            ],
        },
    },
    "without regard to case": {
        "collections": COLLECTION,
        "filter": {
            "op": "=",
            "args": [
                {"op": "casei", "args": [{"property": "platform"}]},
                {"op": "casei", "args": ["OPTICAL-A"]},
            ],
        },
    },
    "missing": {"filter": {"op": "isNull", "args": [{"property": "platform"}]}, "collections": COLLECTION},
    "place": {
        "filter": compare("geometry", "s_intersects", {"type": "Polygon", "coordinates": SQUARE}),
        "collections": COLLECTION,
    },
    "order": {"sortby": (SortKey("eo:cloud_cover", descending=True), SortKey("id"))},
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_search_finds_what_the_upstream_holds(
    archive: tuple[MemoryCatalogue, str], upstream: Upstream, name: str
) -> None:
    query = {"limit": 60, **QUERIES[name]}
    wanted, found = walked(archive[0], query), walked(upstream, query)
    assert found == wanted if "sortby" in query else sorted(found) == sorted(wanted)
    assert wanted or name == "missing"


def test_collections_and_queryables_are_those_of_the_upstream(
    archive: tuple[MemoryCatalogue, str], upstream: Upstream
) -> None:
    assert [entry["id"] for entry in upstream.collections()] == ["optical-l1", "radar-grd"]
    assert {"platform", "eo:cloud_cover"} <= upstream.queryables("optical-l1")["properties"].keys()


def test_an_asset_downloads_through_both(archive: tuple[MemoryCatalogue, str], tmp_path: Path) -> None:
    with running(create_app(written(tmp_path, archive[1], "get"))) as root:
        item = requests.get(f"{root}/collections/optical-l1/items?limit=1", timeout=10).json()["features"][0]
        answer = requests.get(item["assets"]["image"]["href"], timeout=10)
    assert answer.status_code == 200
    assert answer.content.startswith(b"II*\x00")


def test_a_wrong_password_is_told_and_not_repeated(
    archive: tuple[MemoryCatalogue, str], tmp_path: Path
) -> None:
    account = Credentials(username="ann", password=SecretStr("not-hers"))
    catalogue = load("walled", written(tmp_path, archive[1], "get", account))
    with pytest.raises(UpstreamRefused, match="walled wants a valid credential") as refused:
        catalogue.search(Query(), ROOT)
    assert "not-hers" not in str(refused.value.body())
    catalogue.close()


def test_a_catalogue_without_its_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "walled.toml").write_text(TOML.replace("catalogue = ", "other = ").format_map(_NONE))
    with pytest.raises(Misconfigured, match="'catalogue' is"):
        load("walled", Settings(catalogue_folder=tmp_path))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('method = "PUT"', "method: 'PUT' is none of GET, POST"),
        ('filter = "xpath"', "filter: 'xpath' is none of"),
        ('operators = ["near"]', "operators: near: no such operator"),
        ("caseless = 3", "caseless: must be of type bool"),
        ('colour = "red"', "colour: is not a key of this table"),
        ('field = [{ stac = "a" }, { stac = "a" }]', "'a' is there twice"),
        ('field = [{ stac = "a", convert = "magic" }]', "'magic' is none of"),
        (
            'field = [{ stac = "a", type = "Integer", convert = "lower" }]',
            "'lower' takes String, not Integer",
        ),
        ('field = [{ stac = "a", case = "title" }]', "'title' is none of upper, lower"),
    ],
)
def test_nonsense_is_refused_by_file_and_key(tmp_path: Path, line: str, told: str) -> None:
    head = TOML.partition("[search]")[0]
    (tmp_path / "walled.toml").write_text(f"{head}[search]\n{line}\n")
    with pytest.raises(Misconfigured, match=r"walled\.toml: search") as refused:
        load("walled", Settings(catalogue_folder=tmp_path))
    assert told in str(refused.value)
