"""Downloads end to end: the bridge as it is served, in front of the simulator of CDSE."""

import io
import socket
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators import LOGIN_PAGE, CdseSimulator, Faults
from tests.api.serving import running

TIMEOUT = 10


@pytest.fixture(scope="module")
def sim() -> Iterator[CdseSimulator]:
    with CdseSimulator(size=10_000) as running:
        yield running


@pytest.fixture(scope="module")
def root(sim: CdseSimulator) -> Iterator[str]:
    endpoints = {"catalogue": sim.catalogue_url, "download": sim.download_url, "token": sim.token_url}
    account = Credentials(username=sim.username, password=SecretStr(sim.password))
    with running(create_app(Settings(endpoints={"cdse": endpoints}, credentials={"cdse": account}))) as url:
        yield url


@pytest.fixture(autouse=True)
def healthy(sim: CdseSimulator) -> Iterator[None]:
    yield
    sim.faults = Faults()


def assets(root: str, status: str = "succeeded") -> dict[str, Any]:
    """Return the assets of a Sentinel-2 product that is online, or is not."""
    wanted = {"op": "=", "args": [{"property": "order:status"}, status]}
    search = {"collections": ["sentinel-2-l2a"], "limit": 1, "filter": wanted}
    answer = requests.post(f"{root}/search", json=search, timeout=TIMEOUT)
    return dict(answer.json()["features"][0]["assets"])


def test_every_asset_of_an_item_downloads_from_its_href_and_head_agrees(root: str) -> None:
    for asset in assets(root).values():
        get = requests.get(asset["href"], timeout=TIMEOUT)
        head = requests.head(asset["href"], timeout=TIMEOUT)
        assert (get.status_code, head.status_code) == (200, 200)
        assert len(get.content) == int(head.headers["Content-Length"]) > 0
        name = urlsplit(asset["href"]).path.rpartition("/")[2]
        assert get.headers["Content-Disposition"] == head.headers["Content-Disposition"]
        assert f'"{name}"' in get.headers["Content-Disposition"]


def test_a_product_arrives_as_a_sound_archive(root: str) -> None:
    answer = requests.get(assets(root)["Product"]["href"], headers={"Range": "bytes=0-9"}, timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["Accept-Ranges"]) == (200, "none")
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_a_file_inside_a_product_is_read_in_parts(root: str) -> None:
    href = next(asset["href"] for asset in assets(root).values() if asset["href"].endswith(".jp2"))
    whole = requests.get(href, timeout=TIMEOUT)
    part = requests.get(href, headers={"Range": "bytes=100-299"}, timeout=TIMEOUT)
    assert (whole.headers["Accept-Ranges"], part.status_code) == ("bytes", 206)
    assert part.content == whole.content[100:300]


def test_a_product_that_is_offline_is_409_and_says_what_to_do(root: str) -> None:
    answer = requests.get(assets(root, "offline")["Product"]["href"], timeout=TIMEOUT)
    assert answer.status_code == 409
    assert "Data Workspace" in answer.json()["description"]


def test_a_login_page_in_place_of_the_product_is_502(sim: CdseSimulator, root: str) -> None:
    href = assets(root)["Product"]["href"]
    sim.faults = Faults(failure=replace(LOGIN_PAGE, times=2))
    assert requests.get(href, timeout=TIMEOUT).status_code == 502


def test_a_login_page_that_goes_away_with_a_fresh_token_is_never_seen(sim: CdseSimulator, root: str) -> None:
    href = assets(root)["Product"]["href"]
    sim.faults = Faults(failure=LOGIN_PAGE)
    assert requests.get(href, timeout=TIMEOUT).status_code == 200


def test_a_product_that_is_cut_off_never_looks_complete(sim: CdseSimulator, root: str) -> None:
    href = assets(root)["Product"]["href"]
    sim.faults = Faults(cut_after_bytes=100)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(href, timeout=TIMEOUT)


def leaving(href: str) -> socket.socket:
    """Ask for `href` and wait for the first bytes of the answer; closing the socket is going away."""
    at = urlsplit(href)
    client = socket.create_connection((at.hostname, at.port), timeout=TIMEOUT)
    client.sendall(f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n".encode())
    return client


def test_clients_that_leave_give_the_accounts_connections_back(sim: CdseSimulator, root: str) -> None:
    href = assets(root)["Product"]["href"]
    whole = requests.get(href, timeout=TIMEOUT).content
    sim.faults = Faults(stall_after_bytes=100)
    for _ in range(3):
        with ExitStack() as stack:
            clients = [stack.enter_context(leaving(href)) for _ in range(4)]
            assert all(client.recv(8) == b"HTTP/1.1" for client in clients)
    sim.faults = Faults()
    assert requests.get(href, timeout=2).content == whole


def test_a_fifth_download_waits_rather_than_being_refused(sim: CdseSimulator, root: str) -> None:
    href = assets(root)["Product"]["href"]
    sim.faults = Faults(stall_after_bytes=100)
    with ExitStack() as stack:
        clients = [stack.enter_context(leaving(href)) for _ in range(4)]
        assert all(client.recv(8) == b"HTTP/1.1" for client in clients)
        sim.faults = Faults()
        fifth = stack.enter_context(leaving(href))
        fifth.settimeout(0.3)
        with pytest.raises(TimeoutError):
            fifth.recv(1)
        clients[0].close()
        fifth.settimeout(2)
        assert fifth.recv(12) == b"HTTP/1.1 200"
