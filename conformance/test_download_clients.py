"""Real download clients through a signed href and through a header: while the file is there, and while it is
still being staged (503 with Retry-After), with retries as each client's manual has them.
"""

import hashlib
import io
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy
import pystac
import pytest
import rasterio
import requests
import stac_asset.blocking
from rasterio.io import MemoryFile
from requests.adapters import HTTPAdapter
from stac_asset import Config
from urllib3 import Retry

from stacbridge.app import create_app
from stacbridge.callers.keys import Keys
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Json
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Asked, Chaos
from tests.api.archive import collection, item
from tests.api.serving import running

TIMEOUT = 60
SIDE = 700
STAGED = 2
"""Requests that are answered "still being staged" before the file is there."""
MEMBER = "image.tif"


def raster() -> bytes:
    """Return a tiled GeoTIFF of 1.5 MB of noise."""
    noise = numpy.frombuffer(random.Random(1).randbytes(3 * SIDE * SIDE), numpy.uint8)
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 3, "dtype": "uint8", "tiled": True}
    with MemoryFile() as memory:
        transform = rasterio.Affine(10, 0, 500_000, 0, -10, 5_000_000)
        with memory.open(**profile, crs="EPSG:32632", transform=transform) as written:
            written.write(noise.reshape(3, SIDE, SIDE))
        return bytes(memory.read())


def package(member: bytes) -> bytes:
    """Return a zip of one stored member, as an archive packs a product."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(MEMBER, member)
        return file.getvalue()


@dataclass
class Files:
    """The upstream's files, which may still have to be staged."""

    contents: bytes
    left: int = 0
    ways: dict[str, "Way"] = field(default_factory=dict)

    def answer(self, number: int, asked: Asked) -> Act:
        """Answer as an upstream that prepares a file, or that has it."""
        if self.left <= 0:
            return Act()
        self.left -= 1
        return Act(202, b'{"status": "staging"}', {"Retry-After": "1", "Content-Type": "application/json"})


@dataclass(frozen=True)
class Way:
    """How a client may come to the file: an href, and a header where the href opens nothing by itself."""

    item: Json
    key: str = ""

    @property
    def href(self) -> str:
        href: str = self.item["assets"]["image"]["href"]
        return href

    @property
    def header(self) -> str:
        return f"Authorization: Bearer {self.key}"

    def option(self) -> list[str]:
        """Return the option of wget and aria2 for the header, where one is needed."""
        return [f"--header={self.header}"] if self.key else []

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


@pytest.fixture(scope="module", params=["tif", "zip"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Serve a bridge that asks for keys, in front of the upstream's file."""
    kind = request.param
    made = Files(raster() if kind == "tif" else package(raster()))
    folder = tmp_path_factory.mktemp("keys") / "keys"
    keys, given = Keys(folder), Settings(access="keys", key_folder=folder)
    with Chaos(made.contents, script=made.answer) as chaos:
        product = item("products", 1, chaos.url)
        media = "image/tiff; application=geotiff" if kind == "tif" else "application/zip"
        product["assets"]["image"] |= {"href": f"{chaos.url}/product.{kind}", "type": media}
        catalogue = MemoryCatalogue("alpha", [collection("products")], [product])
        with running(create_app(given, [catalogue])) as url:
            key = keys.create("Ada")
            made.ways = {"signed": Way(found(url, key)), "header": Way(found(url), key)}
            yield made


def found(url: str, key: str = "") -> Json:
    """Return the item as a search shows it, to the holder of a key or to anybody."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    features: list[Json] = requests.get(f"{url}/search", headers=headers, timeout=TIMEOUT).json()["features"]
    return features[0]


@pytest.fixture(params=["signed", "header"])
def way(request: pytest.FixtureRequest, files: Files) -> Way:
    return files.ways[request.param]


@pytest.fixture(params=["online", "staging"])
def staged(request: pytest.FixtureRequest, files: Files) -> Iterator[None]:
    files.left = STAGED if request.param == "staging" else 0
    yield
    assert files.left == 0, "the client did not ask again"


Fetch = Callable[[Way, Path], None]


def run(tool: str, *options: str | Path) -> None:
    """Run a command-line client to its end."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([tool, *options], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def curl(way: Way, saved: Path) -> None:
    header = ["-H", way.header] if way.key else []
    run("curl", "-fsS", "--retry", "5", "-C", "-", *header, "-o", saved, way.href)


def wget(way: Way, saved: Path) -> None:
    again = ("--tries=5", "--waitretry=1", "--retry-on-http-error=503")
    run("wget", "-nv", "-c", *again, *way.option(), "-O", saved, way.href)


def aria2(way: Way, saved: Path) -> None:
    again = ("--max-tries=10", "--retry-wait=1", "--continue=true")
    parts = ("--max-connection-per-server=4", "--split=4", "--min-split-size=1M")
    place = ("--dir", saved.parent, "--out", saved.name)
    run("aria2c", "--quiet", "--no-conf", *again, *parts, *way.option(), *place, way.href)


def with_requests(way: Way, saved: Path) -> None:
    again = Retry(total=5, backoff_factor=0.1, status_forcelist=[503])
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=again))
        with session.get(way.href, headers=way.headers, stream=True, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            saved.write_bytes(b"".join(answer.iter_content(65536)))


def with_stac_asset(way: Way, saved: Path) -> None:
    wanted = pystac.Item.from_dict(way.item)
    config = Config(http_headers=way.headers, fail_fast=True)
    stac_asset.blocking.download_item(wanted, saved.parent / "item", config=config)
    (taken,) = (path for path in (saved.parent / "item").iterdir() if path.suffix != ".json")
    assert taken.name == way.href.partition("?")[0].rpartition("/")[2]
    taken.rename(saved)


CLIENTS: dict[str, Fetch] = {
    "curl": curl,
    "wget": wget,
    "aria2": aria2,
    "requests": with_requests,
    "stac-asset": with_stac_asset,
}


@pytest.mark.usefixtures("staged")
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_client_gets_the_file_whole(client: Fetch, files: Files, way: Way, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    client(way, saved)
    assert hashlib.sha256(saved.read_bytes()).digest() == hashlib.sha256(files.contents).digest()


@pytest.mark.usefixtures("staged")
@pytest.mark.parametrize("client", [curl, wget], ids=["curl", "wget"])
def test_a_client_goes_on_where_it_was(client: Fetch, files: Files, way: Way, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.write_bytes(files.contents[: len(files.contents) // 3])
    client(way, saved)
    assert saved.read_bytes() == files.contents


@pytest.mark.usefixtures("staged")
def test_gdal_reads_the_raster(files: Files, way: Way, request: pytest.FixtureRequest) -> None:
    zipped = files.contents[:2] == b"PK"
    # What GDAL remembers of a URL, it remembers for all tests: each has a URL of its own.
    url = f"{way.href}{'&' if '?' in way.href else '?'}{hash(request.node.nodeid) % 10**8}=1"
    place = f"/vsizip/{{/vsicurl/{url}}}/{MEMBER}" if zipped else f"/vsicurl/{url}"
    options = {"GDAL_HTTP_MAX_RETRY": "5", "GDAL_HTTP_RETRY_DELAY": "1", "CPL_VSIL_CURL_USE_HEAD": "YES"}
    header = {"GDAL_HTTP_HEADERS": way.header} if way.key else {}
    with (
        rasterio.Env(**options, **header, GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"),
        rasterio.open(place) as opened,
    ):
        noise = numpy.frombuffer(random.Random(1).randbytes(3 * SIDE * SIDE), numpy.uint8)
        assert (opened.read() == noise.reshape(3, SIDE, SIDE)).all()


def test_what_is_being_staged_is_503_with_the_seconds_to_wait_and_no_2xx(files: Files, way: Way) -> None:
    files.left = 1
    answer = requests.get(way.href, headers=way.headers, timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_a_plain_href_opens_nothing_without_its_header(files: Files) -> None:
    assert requests.get(files.ways["header"].href, timeout=TIMEOUT).status_code == 401
