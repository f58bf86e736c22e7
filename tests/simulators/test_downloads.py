import hashlib
import io
import socket
import threading
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import requests

from stacbridge.simulators import LOGIN_PAGE, CdseSimulator, Failure, Faults

from .conftest import bearer, find, products

LARGE = 40 * 1024 * 1024 + 123


@pytest.fixture(scope="module")
def sim() -> Iterator[CdseSimulator]:
    with CdseSimulator(3000, large_bytes=LARGE) as running:
        yield running


@pytest.fixture(scope="module")
def auth(sim: CdseSimulator) -> dict[str, str]:
    return bearer(sim)


@pytest.fixture
def faulty(sim: CdseSimulator) -> Iterator[CdseSimulator]:
    yield sim
    sim.faults = Faults()


def value_url(sim: CdseSimulator, product: Any) -> str:
    return f"{sim.download_url}/Products({product['Id']})/$value"


def nodes(sim: CdseSimulator, product: Any, *names: str) -> Any:
    path = "".join(f"/Nodes({name})" for name in names)
    return requests.get(f"{sim.download_url}/Products({product['Id']}){path}/Nodes", timeout=10).json()[
        "result"
    ]


def walk(sim: CdseSimulator, product: Any, *names: str) -> Iterator[tuple[tuple[str, ...], int]]:
    for node in nodes(sim, product, *names):
        place = (*names, node["Name"])
        if node["ChildrenNumber"]:
            assert node["ContentLength"] == 0
            inside = list(walk(sim, product, *place))
            assert len({path[len(place)] for path, _ in inside}) == node["ChildrenNumber"]
            yield from inside
        else:
            yield place, node["ContentLength"]


@pytest.mark.parametrize(
    "collection", ["SENTINEL-1", "SENTINEL-2", "SENTINEL-3", "GLOBAL-MOSAICS", "COP-DEM"]
)
def test_a_product_is_a_zip_of_the_files_that_its_nodes_list(
    sim: CdseSimulator, auth: dict[str, str], collection: str
) -> None:
    suffix = " and endswith(Name,'.SAFE') and not contains(Name,'AUX')" if collection == "SENTINEL-1" else ""
    product = find(sim, f"Collection/Name eq '{collection}'{suffix}")
    answer = requests.get(value_url(sim, product), headers=auth, timeout=10)
    assert answer.headers["Content-Disposition"] == f"attachment; filename={product['Name']}.zip"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        zipped = {info.filename: info.file_size for info in archive.infolist()}
    listed = {"/".join(place): size for place, size in walk(sim, product)}
    assert listed == zipped
    if product["ContentLength"] > 0:
        assert sum(listed.values()) == product["ContentLength"]


def test_the_manifest_names_the_files(sim: CdseSimulator, auth: dict[str, str]) -> None:
    product = find(sim, "startswith(Name,'S2') and contains(Name,'MSIL2A')")
    answer = requests.get(value_url(sim, product), headers=auth, timeout=10)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        tree = ElementTree.fromstring(archive.read(f"{product['Name']}/manifest.safe").strip())
        hrefs = {element.attrib["href"] for element in tree.iter("fileLocation")}
        files = {name.removeprefix(product["Name"]) for name in archive.namelist()}
    assert hrefs == {f".{name}" for name in files if not name.endswith("manifest.safe")}


def test_a_file_of_a_product_is_served_in_ranges(sim: CdseSimulator, auth: dict[str, str]) -> None:
    product = find(sim, "contains(Name,'_IW_GRDH_1S')")
    place, size = next((place, size) for place, size in walk(sim, product) if place[-1].endswith(".tiff"))
    url = f"{sim.download_url}/Products({product['Id']})" + "".join(f"/Nodes({n})" for n in place) + "/$value"
    head = requests.head(url, headers=auth, timeout=10)
    assert (head.status_code, head.headers["Accept-Ranges"]) == (200, "bytes")
    assert int(head.headers["Content-Length"]) == size
    whole = requests.get(url, headers=auth, timeout=10).content
    assert len(whole) == size
    for header, part in (("bytes=0-9", whole[:10]), ("bytes=100-", whole[100:]), ("bytes=-7", whole[-7:])):
        answer = requests.get(url, headers=auth | {"Range": header}, timeout=10)
        assert (answer.status_code, answer.content) == (206, part)
        assert answer.headers["Content-Range"].endswith(f"/{size}")
        assert answer.headers["ETag"] == head.headers["ETag"]
    assert requests.get(url, headers=auth | {"Range": f"bytes={size}-"}, timeout=10).status_code == 416
    for etag, status in ((head.headers["ETag"], 206), ('"other"', 200)):
        resumed = requests.get(url, headers=auth | {"Range": "bytes=5-", "If-Range": etag}, timeout=10)
        assert resumed.status_code == status


def test_a_whole_product_ignores_ranges(sim: CdseSimulator, auth: dict[str, str]) -> None:
    product = find(sim, "Collection/Name eq 'SENTINEL-2'")
    answer = requests.get(value_url(sim, product), headers=auth | {"Range": "bytes=0-9"}, timeout=10)
    assert answer.status_code == 200
    assert "Accept-Ranges" not in answer.headers


def test_a_single_file_product_is_served_as_it_is(sim: CdseSimulator, auth: dict[str, str]) -> None:
    product = find(sim, "Collection/Name eq 'SENTINEL-5P' and ContentLength gt 0 and ContentLength lt 100000")
    answer = requests.get(value_url(sim, product), headers=auth | {"Range": "bytes=0-2"}, timeout=10)
    assert (answer.status_code, answer.content) == (206, b"CDF")
    whole = requests.get(value_url(sim, product), headers=auth, timeout=10)
    assert whole.headers["Content-Disposition"] == f"attachment; filename={product['Name']}"
    assert len(whole.content) == product["ContentLength"]
    assert hashlib.md5(whole.content).hexdigest() == product["Checksum"][0]["Value"]
    assert [node["Name"] for node in nodes(sim, product)] == [product["Name"]]


def test_the_large_product_streams_what_it_promises(sim: CdseSimulator, auth: dict[str, str]) -> None:
    url = f"{sim.download_url}/Products({sim.large_id})/$value"
    record = requests.get(f"{sim.catalogue_url}/Products({sim.large_id})", timeout=10).json()
    assert record["ContentLength"] == LARGE
    assert len(requests.get(url, headers=auth, timeout=60).content) == LARGE
    tail = requests.get(url, headers=auth | {"Range": f"bytes={LARGE - 5}-"}, timeout=10)
    assert (tail.status_code, len(tail.content)) == (206, 5)


@pytest.mark.parametrize(
    "path",
    [
        "Nodes('{name}')/$value",
        "Nodes('{name}')/Nodes",
        "Nodes({name}",
        "Nodes({name})/Files",
        "Nodes()/$value",
    ],
)
def test_a_path_of_nodes_that_cannot_be_read_is_malformed(
    sim: CdseSimulator, auth: dict[str, str], path: str
) -> None:
    product = find(sim, "Collection/Name eq 'SENTINEL-2'")
    url = f"{sim.download_url}/Products({product['Id']})/{path.format(name=product['Name'])}"
    answer = requests.get(url, headers=auth, timeout=10)
    assert answer.status_code == 400
    assert answer.json() == {"code": "DAT-ZIP-104", "message": "Malformed OData request path"}


def test_what_does_not_exist_is_not_found(sim: CdseSimulator, auth: dict[str, str]) -> None:
    product = find(sim, "Collection/Name eq 'SENTINEL-2'")
    base = f"{sim.download_url}/Products({product['Id']})"
    for path in (f"/Nodes({product['Name']})/Nodes(nothing)/$value", "/Nodes(other)/Nodes", "/$zip"):
        assert requests.get(base + path, headers=auth, timeout=10).status_code == 404


def test_a_product_that_is_not_online_is_not_served(sim: CdseSimulator, auth: dict[str, str]) -> None:
    product = products(sim, filter="Online eq false", top=1)["value"][0]
    answer = requests.get(value_url(sim, product), headers=auth, timeout=10)
    assert answer.status_code == 404
    assert "not online" in answer.json()["detail"]["message"]


def test_a_compressed_location_says_what_is_downloaded(sim: CdseSimulator, auth: dict[str, str]) -> None:
    young = "startswith(Name,'S1') and PublicationDate gt 2026-06-05T00:00:00Z"
    page = products(sim, filter=f"{young} and Online eq true", expand="Locations", top=50)["value"]
    product = next(p for p in page if p["Locations"][0]["FormatType"] == "Compressed")
    answer = requests.get(f"{sim.download_url}/Products({product['Id']})/$zip", headers=auth, timeout=10)
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    location = product["Locations"][0]
    assert location["ContentLength"] == len(answer.content)
    assert location["Checksum"][0]["Value"] == hashlib.md5(answer.content).hexdigest()


def raw_request(sim: CdseSimulator, path: str, auth: dict[str, str]) -> socket.socket:
    """A connection whose answer is not read."""
    address = urlsplit(sim.download_url)
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    lines = [f"GET {path} HTTP/1.1", f"Host: {address.netloc}", f"Authorization: {auth['Authorization']}"]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def test_a_fifth_download_at_once_is_refused_until_one_ends(sim: CdseSimulator, auth: dict[str, str]) -> None:
    path = f"/odata/v1/Products({sim.large_id})/$value"
    open_ones = [raw_request(sim, path, auth) for _ in range(4)]
    url = f"{sim.download_url}/Products({sim.large_id})/$value"
    refused = requests.get(url, headers=auth, timeout=10)
    assert refused.status_code == 429
    assert refused.json()["code"] == "DAT-ZIP-100"
    assert requests.head(url, headers=auth, timeout=10).status_code == 200
    for connection in open_ones:
        connection.close()
    assert free(sim)


def free(sim: CdseSimulator) -> bool:
    """Whether all slots are given back within five seconds."""
    tick = threading.Event()
    return any(sim.downloads.slots.open(sim.username) == 0 or tick.wait(0.05) for _ in range(100))


def test_a_cut_body_ends_the_connection_short_of_its_length(
    faulty: CdseSimulator, auth: dict[str, str]
) -> None:
    faulty.faults = Faults(cut_after_bytes=1000)
    product = find(faulty, "Collection/Name eq 'SENTINEL-2'")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="1000 bytes read"):
        requests.get(value_url(faulty, product), headers=auth, timeout=10)


def test_a_stalled_body_waits_until_the_client_leaves(faulty: CdseSimulator, auth: dict[str, str]) -> None:
    faulty.faults = Faults(stall_after_bytes=1000)
    with raw_request(faulty, f"/odata/v1/Products({faulty.large_id})/$value", auth) as connection:
        received = b""
        while len(received.partition(b"\r\n\r\n")[2]) < 1000:
            received += connection.recv(4096)
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert faulty.downloads.slots.open(faulty.username) == 1
    assert free(faulty)


def test_a_slow_body_takes_its_time_and_is_whole(faulty: CdseSimulator, auth: dict[str, str]) -> None:
    product = find(
        faulty, "Collection/Name eq 'SENTINEL-5P' and ContentLength gt 0 and ContentLength lt 100000"
    )
    faulty.faults = Faults(bytes_per_second=20_000)
    answer = requests.get(value_url(faulty, product), headers=auth, timeout=10)
    assert len(answer.content) == product["ContentLength"]
    assert answer.elapsed.total_seconds() < 5


def test_a_failure_is_answered_as_often_as_told(faulty: CdseSimulator) -> None:
    faulty.faults = Faults(failure=Failure(times=2, status=502, body=b"<html>bad</html>", role="catalogue"))
    url = f"{faulty.catalogue_url}/Products?$top=1"
    assert [requests.get(url, timeout=10).status_code for _ in range(3)] == [502, 502, 200]


def test_every_answer_can_be_made_to_wait(faulty: CdseSimulator) -> None:
    faulty.faults = Faults(delay_seconds=0.2)
    answer = requests.get(f"{faulty.catalogue_url}/Products?$top=1", timeout=10)
    assert answer.elapsed.total_seconds() >= 0.2


def test_a_login_page_can_stand_where_the_product_should(faulty: CdseSimulator, auth: dict[str, str]) -> None:
    product = find(faulty, "Collection/Name eq 'SENTINEL-2'")
    faulty.faults = Faults(failure=LOGIN_PAGE)
    answer = requests.get(value_url(faulty, product), headers=auth, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")


def test_a_burst_is_posted_to_twice_and_comes_as_a_zip(sim: CdseSimulator, auth: dict[str, str]) -> None:
    burst = requests.get(f"{sim.catalogue_url}/Bursts?$top=1", timeout=10).json()["value"][0]
    url = f"{sim.catalogue_url}/Bursts({burst['Id']})/$value"
    first = requests.post(url, headers=auth, allow_redirects=False, timeout=10)
    assert first.is_redirect
    assert urlsplit(first.headers["Location"]).port != urlsplit(url).port
    assert requests.post(first.headers["Location"], timeout=10).status_code == 401
    second = requests.post(first.headers["Location"], headers=auth, timeout=10)
    name = second.headers["Content-Disposition"].split("filename=")[1]
    assert f"_{burst['BurstId']:06d}_{burst['SwathIdentifier']}_{burst['PolarisationChannels']}_" in name
    assert zipfile.ZipFile(io.BytesIO(second.content)).testzip() is None


def test_a_certificate_that_cannot_be_read_is_an_error_at_the_start() -> None:
    with pytest.raises(OSError), CdseSimulator(1000, certfile="missing.pem", keyfile="missing.pem"):
        pass
