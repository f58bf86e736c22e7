"""Standard tools against a demo that asks who comes: by signed href, and with a header where they can."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pystac
import pytest
import rasterio
import requests
from pystac_client import Client

from conformance.demo import ready

TIMEOUT = 60


class Log:
    """What a process writes, as it comes."""

    def __init__(self) -> None:
        self.text = ""
        self._new = threading.Condition()

    def read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._new:
                self.text += line
                self._new.notify_all()

    def says(self, text: str) -> bool:
        """Tell whether a text is there, or comes soon."""
        with self._new:
            return self._new.wait_for(lambda: text in self.text, TIMEOUT)


@dataclass(frozen=True)
class Demo:
    """A running demo, a key that opens it, and what it logs."""

    url: str
    key: str
    log: Log

    def asset(self, key: str | None = None) -> pystac.Asset:
        """Return a band of a scene that is online, as a caller finds it with pystac-client."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        search = Client.open(self.url, headers=headers).search(
            collections=["sentinel-1-grd"], filter="order:status = 'succeeded'", max_items=1
        )
        item = next(search.items())
        return item.assets[item.properties["sar:polarizations"][0].lower()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("keys")
    settings = {"STACBRIDGE_ACCESS": "keys", "STACBRIDGE_KEY_FOLDER": str(folder)}
    stacbridge = [sys.executable, "-m", "stacbridge"]
    environment = os.environ | settings
    made = subprocess.run(
        [*stacbridge, "key", "create", "Ada"], env=environment, capture_output=True, text=True, check=True
    )
    command = [*stacbridge, "serve", "--demo", "--port", "0", "--log-level", "info"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        log = Log()
        try:
            url = ready(process)
            assert process.stdout is not None
            reader = threading.Thread(target=log.read, args=[process.stdout])
            reader.start()
            yield Demo(url, made.stdout.strip(), log)
        finally:
            process.terminate()
        reader.join()


@pytest.fixture(scope="module")
def signed(demo: Demo) -> str:
    return demo.asset(demo.key).href


@pytest.fixture(scope="module")
def plain(demo: Demo) -> str:
    return demo.asset().href


@pytest.fixture(scope="module")
def content(demo: Demo, plain: str) -> bytes:
    answer = requests.get(plain, headers={"Authorization": f"Bearer {demo.key}"}, timeout=TIMEOUT)
    assert answer.status_code == 200
    return answer.content


def test_gdal_opens_a_signed_href_with_nothing_configured(signed: str) -> None:
    with rasterio.open(f"/vsicurl/{signed}") as raster:
        assert raster.driver == "GTiff"
        assert raster.read(1, window=((0, 64), (0, 64))).shape == (64, 64)


def test_gdal_opens_a_signed_href_as_qgis_hands_it_over(signed: str) -> None:
    with rasterio.open(f"/vsicurl/{signed}&height=200&width=200") as raster:
        assert raster.count == 1


@pytest.mark.parametrize("scheme", ["header", "basic"])
def test_gdal_opens_a_plain_href_with_a_key(demo: Demo, plain: str, scheme: str) -> None:
    options = {
        "header": {"GDAL_HTTP_HEADERS": f"Authorization: Bearer {demo.key}"},
        "basic": {"GDAL_HTTP_AUTH": "BASIC", "GDAL_HTTP_USERPWD": f"ada:{demo.key}"},
    }[scheme]
    with (
        rasterio.Env(**options, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        rasterio.open(f"/vsicurl/{plain}?{scheme}") as raster,
    ):
        assert raster.count == 1


def test_gdal_does_not_open_a_plain_href_without_one(plain: str) -> None:
    with pytest.raises(rasterio.errors.RasterioIOError, match="401"):
        rasterio.open(f"/vsicurl/{plain}?nobody")


def test_curl_takes_and_resumes_a_signed_href(signed: str, content: bytes, tmp_path: Path) -> None:
    saved = tmp_path / "band.tiff"
    subprocess.run(["curl", "-fsS", "-o", saved, signed], check=True, timeout=TIMEOUT)
    assert saved.read_bytes() == content
    saved.write_bytes(content[: len(content) // 2])
    subprocess.run(["curl", "-fsS", "-C", "-", "-o", saved, signed], check=True, timeout=TIMEOUT)
    assert saved.read_bytes() == content


def test_curl_takes_a_plain_href_with_a_netrc_file(
    demo: Demo, plain: str, content: bytes, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {urlsplit(demo.url).hostname} login ada password {demo.key}\n")
    saved = tmp_path / "band.tiff"
    subprocess.run(["curl", "-fsS", "--netrc-file", netrc, "-o", saved, plain], check=True, timeout=TIMEOUT)
    assert saved.read_bytes() == content


def test_a_remote_name_is_the_files_own(signed: str, content: bytes, tmp_path: Path) -> None:
    subprocess.run(["curl", "-fsSOJ", signed], check=True, timeout=TIMEOUT, cwd=tmp_path)
    (saved,) = tmp_path.iterdir()
    assert saved.name == urlsplit(signed).path.rpartition("/")[2]
    assert saved.read_bytes() == content


def test_a_file_named_by_the_href_alone_is_signed_too(demo: Demo, plain: str, content: bytes) -> None:
    answer = requests.post(
        f"{demo.url}/sign",
        json={"href": plain},
        headers={"Authorization": f"Bearer {demo.key}"},
        timeout=TIMEOUT,
    )
    assert requests.get(answer.json()["href"], timeout=TIMEOUT).content == content


def test_nothing_that_opens_the_bridge_is_in_its_log(demo: Demo, signed: str) -> None:
    requests.get(f"{signed}&seen=now", timeout=TIMEOUT)
    requests.get(f"{demo.url}/search?Authorization=Bearer+{demo.key}", timeout=TIMEOUT)
    answer = requests.get(f"{demo.url}/search", auth=("ada", demo.key), timeout=TIMEOUT)
    assert answer.status_code == 200
    requests.get(f"{demo.url}/search", headers={"X-Request-ID": "the-last"}, timeout=TIMEOUT)
    assert demo.log.says("the-last")
    assert "/assets/cdse/" in demo.log.text
    assert "seen=now" not in demo.log.text
    assert demo.key.partition(".")[2] not in demo.log.text
    assert signed.partition("?t=")[2] not in demo.log.text
