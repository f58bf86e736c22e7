"""Single files by way of S3 storage: signed by headers and streamed, or presigned and left to the client."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
import requests
from pydantic import SecretStr

from stacbridge.access import registry
from stacbridge.app import create_app
from stacbridge.errors import Misconfigured
from stacbridge.mapping.mapping import load
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.s3 import ACCESS, SECRET, S3Simulator
from tests.api.serving import running
from tests.callers import archive
from tests.servers import Answer, Seen, Server, serving

TIMEOUT = 10
BAND = b"II*\x00" + bytes(range(256)) * 400
KEY = "/eodata/Sentinel-2/2026/TOY_ada.SAFE/GRANULE/L2A (1)/B02.tif"
RECORD = {**archive.record("ada"), "S3Path": "/eodata/Sentinel-2/2026/TOY_ada.SAFE"}
ASSET = """
[[collection.asset]]
key = "band"
type = "image/tiff"
roles = ["data"]
of = "node"
path = "GRANULE/*/B02.tif"
"""
PATH = "/assets/toy/toys/TOY_ada/band/B02.tif"


def odata(seen: Seen) -> Answer:
    """Answer searches and listings; a node's own bytes are others than those in the storage."""
    if seen.path.endswith("/$value"):
        return Answer(200, b"II*\x00 of the node")
    if seen.path.endswith("/Nodes"):
        return Answer(body=orjson.dumps({"result": [{"Name": "L2A (1)"}]}))
    return Answer(body=orjson.dumps({"value": [RECORD]}))


@contextmanager
def bridge(
    folder: Path, storage: S3Simulator, keys: Credentials | None = None, presigned: bool = False, **more: Any
) -> Iterator[tuple[str, Server]]:
    """Serve a bridge over an archive whose single files are in `storage`, too."""
    words = 's3 = "s3"\ns3_region = "default"\n' + ("s3_presigned = 60\n" if presigned else "")
    with serving(odata) as server:
        endpoints = f'[endpoints]\ns3 = "{storage.url}"'
        toml = archive.TOML.replace("{url}", server.url).replace("[endpoints]", endpoints)
        access, limits = toml.index("[access]"), toml.index("[limits]")
        (folder / "toy.toml").write_text(f'{toml[:access]}[access]\nflow = "none"\n{words}\n{toml[limits:]}')
        (folder / "toy").mkdir()
        (folder / "toy" / "toys.toml").write_text(archive.FAMILY + ASSET)
        given: dict[str, Any] = {
            "catalogues": ["toy"],
            "catalogue_folder": folder,
            "credentials": {} if keys is None else {"toy": keys},
            "order_store": SecretStr(f"sqlite:///{folder}/orders.sqlite"),
            "retry_wait": 0.01,
            **more,
        }
        with running(create_app(Settings(**given))) as url:
            yield url, server


@pytest.fixture
def storage() -> Iterator[S3Simulator]:
    with S3Simulator({KEY: BAND}) as simulator:
        yield simulator


def key(secret: str = SECRET) -> Credentials:
    return Credentials(s3_key=ACCESS, s3_secret=SecretStr(secret))


def ask(url: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, url, headers=headers, timeout=TIMEOUT, allow_redirects=False)


def test_a_file_is_streamed_from_the_storage_with_head_and_ranges(
    tmp_path: Path, storage: S3Simulator
) -> None:
    with bridge(tmp_path, storage, key()) as (root, server):
        assert ask(f"{root}{PATH}").content == BAND
        part = ask(f"{root}{PATH}", Range="bytes=1000-1999")
        head = ask(f"{root}{PATH}", "HEAD")
        assert (part.status_code, part.content) == (206, BAND[1000:2000])
        assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(BAND)))
        assert not any("$value" in seen.path for seen in server.seen)
        assert not any("authorization" in seen.headers for seen in server.seen)
    assert storage.refused == []
    assert [method for method, _, _ in storage.asked] == ["GET", "GET", "HEAD"]


def test_an_account_without_a_key_has_files_from_the_archive_itself(
    tmp_path: Path, storage: S3Simulator
) -> None:
    with bridge(tmp_path, storage) as (root, _):
        assert ask(f"{root}{PATH}").content == b"II*\x00 of the node"
    assert storage.asked == []


def test_where_the_storage_takes_presigned_urls_clients_are_sent_there(tmp_path: Path) -> None:
    with (
        S3Simulator({KEY: BAND}, presigned=True) as storage,
        bridge(tmp_path, storage, key(), presigned=True) as (root, _),
    ):
        told = ask(f"{root}{PATH}")
        assert (told.status_code, told.content, told.headers["Cache-Control"]) == (307, b"", "no-store")
        assert ask(told.headers["Location"], Range="bytes=0-9").content == BAND[:10]
        changed = told.headers["Location"].replace("B02", "B03")
        assert ask(changed).status_code == 403
        assert SECRET not in unquote(told.headers["Location"])


def test_a_storage_that_refuses_the_key_is_told_of_and_the_file_comes_from_the_archive(
    tmp_path: Path, storage: S3Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with bridge(tmp_path, storage, key("canary/wrong+secret")) as (root, _):
        assert [ask(f"{root}{PATH}").content for _ in range(3)] == [b"II*\x00 of the node"] * 3
        health, figures = ask(f"{root}/health"), ask(f"{root}/metrics")
    assert storage.refused == ["SignatureDoesNotMatch"]
    (warning,) = health.json()["catalogues"]["toy"]["warnings"]
    assert "SignatureDoesNotMatch" in warning and "stacbridge check toy" in warning
    assert 'stacbridge_storage_refusals_total{catalogue="toy"}' in figures.text
    assert "The storage of toy refuses B02.tif" in caplog.text
    assert not any(word in health.text + caplog.text for word in ("canary", ACCESS))


def test_a_file_that_the_storage_does_not_have_comes_from_the_archive_and_others_from_the_storage(
    tmp_path: Path, storage: S3Simulator
) -> None:
    with bridge(tmp_path, storage, key()) as (root, _):
        band = storage.objects.pop(KEY)
        assert ask(f"{root}{PATH}").content == b"II*\x00 of the node"
        storage.objects[KEY] = band
        assert ask(f"{root}{PATH}").content == BAND
        assert ask(f"{root}/health").json()["catalogues"]["toy"]["warnings"] == []


def test_nginx_is_not_sent_to_a_storage_that_wants_more_headers_than_it_is_told(
    tmp_path: Path, storage: S3Simulator
) -> None:
    with bridge(tmp_path, storage, key(), accel="/internal") as (root, _):
        whole = ask(f"{root}{PATH}")
    assert whole.content == BAND
    assert "X-Accel-Redirect" not in whole.headers


@pytest.mark.parametrize("path", [None, 7, "", "/eodata/../secret", "/eodata//x"])
def test_a_record_that_does_not_say_where_leads_to_the_archive_itself(path: object) -> None:
    access = {"flow": "none", "s3": "s3", "s3_region": "r"}
    terms = registry.parse("toy", access, {"s3": "https://s3.eu"}, key())
    assert terms.storage is not None
    assert terms.storage.find({"S3Path": path}, ["a"]) is None


def test_requests_elsewhere_are_not_signed_with_the_key() -> None:
    access = {"flow": "none", "s3": "s3", "s3_region": "r"}
    terms = registry.parse("toy", access, {"s3": "https://s3.example.eu", "x": "https://x.eu"}, key())
    assert terms.storage is not None
    others = (
        "https://x.eu/a",
        "http://s3.example.eu/a",
        "https://s3.example.eu:8443/a",
        "https://a@s3.example.eu/",
    )
    assert not any(terms.storage.holds(url) for url in others)
    assert terms.storage.holds("https://s3.example.eu/bucket/a")


@pytest.mark.parametrize(
    ("access", "account", "told"),
    [
        ({"s3": "nowhere", "s3_region": "r"}, key(), "no endpoint"),
        ({"s3": "s3"}, key(), "s3_region: is missing"),
        ({"s3": "s3", "s3_region": "r"}, Credentials(s3_key="x"), "only one is set"),
    ],
)
def test_a_storage_that_cannot_work_is_refused(
    access: dict[str, str], account: Credentials, told: str
) -> None:
    with pytest.raises(Misconfigured, match=told):
        registry.parse("toy", {"flow": "none", **access}, {"s3": "https://s3.example.eu"}, account)


def test_cdse_names_its_storage() -> None:
    given = Settings(credentials={"cdse": key()})
    mapping = load("cdse", given)
    terms = registry.parse("cdse", mapping.access, mapping.endpoints, given.credentials["cdse"])
    assert terms.storage is not None and terms.storage.presigned is None
    assert terms.storage.find(RECORD, ["GRANULE", "L2A (1)", "B02.tif"]) == (
        "https://eodata.dataspace.copernicus.eu/eodata/Sentinel-2/2026/TOY_ada.SAFE/GRANULE/L2A%20%281%29/B02.tif"
    )
