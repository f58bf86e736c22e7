"""MAAP end to end: the bridge as it is served, in front of the simulator of MAAP."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pystac_client
import pytest
import requests
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.settings import Credentials
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.faults import Faults
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.simulators.maap_data import made
from tests.api.serving import running
from tests.maap.archive import settings

TIMEOUT = 10
L1A = "BiomassLevel1a"


@pytest.fixture(scope="module")
def root(sim: MaapSimulator) -> Iterator[str]:
    with running(create_app(settings(sim))) as url:
        yield url


@pytest.fixture(autouse=True)
def healthy(sim: MaapSimulator) -> Iterator[None]:
    yield
    sim.faults = Faults()


def item(root: str, collection: str) -> dict[str, Any]:
    answer = requests.get(f"{root}/collections/{collection}/items?limit=1", timeout=TIMEOUT)
    return dict(answer.json()["features"][0])


def test_five_lines_of_pystac_client_find_and_fetch(root: str) -> None:
    catalog = pystac_client.Client.open(root)
    search = catalog.search(collections=["EarthCAREL1Validated_MAAP"], bbox=[-180, -60, 0, 60], max_items=30)
    items = list(search.items())
    assert len({item.id for item in items}) == 30
    href = items[0].assets["enclosure_h5"].href
    assert requests.get(href, timeout=TIMEOUT).status_code == 200


@pytest.mark.parametrize(
    "collection", [L1A, "BiomassLevel2a", "EarthCAREL1Validated_MAAP", "CryoSatIceL110", "TropForest"]
)
def test_every_asset_downloads_under_the_name_in_its_href(root: str, collection: str) -> None:
    for asset in item(root, collection)["assets"].values():
        got = requests.get(asset["href"], timeout=TIMEOUT)
        assert got.status_code == 200
        assert got.content
        assert f'filename="{asset["href"].rpartition("/")[2]}"' in got.headers["Content-Disposition"]


def test_a_product_of_unknown_length_arrives_whole(root: str) -> None:
    href = item(root, L1A)["assets"]["product"]["href"]
    got = requests.get(href, timeout=TIMEOUT)
    assert href.endswith(".zip")
    assert got.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in got.headers
    assert got.headers["Accept-Ranges"] == "none"
    assert zipfile.ZipFile(io.BytesIO(got.content)).testzip() is None


def test_a_part_of_a_product_of_unknown_length_is_the_whole(root: str) -> None:
    href = item(root, L1A)["assets"]["product"]["href"]
    got = requests.get(href, headers={"Range": "bytes=0-9"}, timeout=TIMEOUT)
    assert (got.status_code, got.headers["Accept-Ranges"]) == (200, "none")
    assert zipfile.ZipFile(io.BytesIO(got.content)).testzip() is None


def test_a_product_of_unknown_length_that_breaks_off_is_seen_to(sim: MaapSimulator, root: str) -> None:
    href = item(root, L1A)["assets"]["product"]["href"]
    sim.faults = Faults(cut_after_bytes=10_000)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(href, timeout=TIMEOUT)


def test_a_single_file_is_read_in_parts(root: str) -> None:
    href = item(root, L1A)["assets"]["enclosure_i_abs_tiff"]["href"]
    part = requests.get(href, headers={"Range": "bytes=100-299"}, timeout=TIMEOUT)
    assert (part.status_code, part.headers["Accept-Ranges"]) == (206, "bytes")
    assert part.content == requests.get(href, timeout=TIMEOUT).content[100:300]


def test_a_collection_that_the_account_may_not_read_is_403_and_says_so(root: str) -> None:
    found = item(root, "BiomassLevel1aIOC")
    got = requests.get(found["assets"]["enclosure_i_abs_tiff"]["href"], timeout=TIMEOUT)
    assert got.status_code == 403
    assert "no access to collection BiomassLevel1aIOC" in got.json()["answered"]
    assert "Access is granted for each collection" in got.json()["advice"]
    assert requests.get(found["assets"]["thumbnail"]["href"], timeout=TIMEOUT).status_code == 200


def test_one_token_serves_many_downloads_and_is_not_sent_for_public_pictures() -> None:
    with MaapSimulator() as sim, running(create_app(settings(sim))) as root:
        found = item(root, L1A)["assets"]
        assert requests.get(found["thumbnail"]["href"], timeout=TIMEOUT).status_code == 200
        assert sim.token_requests == 0
        assert not any(seen.has_authorization for seen in sim.log)
        for key in ("product", "enclosure_annot_xml", "enclosure_i_abs_tiff"):
            assert requests.get(found[key]["href"], timeout=TIMEOUT).status_code == 200
        assert sim.token_requests == 1


def test_a_token_that_ended_early_is_renewed_on_the_way() -> None:
    with MaapSimulator() as sim, running(create_app(settings(sim))) as root:
        href = item(root, L1A)["assets"]["enclosure_annot_xml"]["href"]
        assert requests.get(href, timeout=TIMEOUT).status_code == 200
        sim.access.forget()
        assert requests.get(href, timeout=TIMEOUT).status_code == 200
        assert sim.token_requests == 2


def test_an_offline_token_that_ended_is_told_with_what_to_do() -> None:
    clock = ManualClock()
    with MaapSimulator(clock=clock) as sim, running(create_app(settings(sim))) as root:
        clock.advance(91 * 86400)
        got = requests.get(item(root, L1A)["assets"]["product"]["href"], timeout=TIMEOUT)
        assert got.status_code == 503
        assert "stacbridge login maap" in got.json()["advice"]
        assert sim.access.offline_token not in got.text


def test_without_the_clients_secret_the_setting_is_named() -> None:
    with MaapSimulator() as sim:
        account = Credentials(refresh_token=SecretStr(sim.access.offline_token))
        with running(create_app(settings(sim, account))) as root:
            got = requests.get(item(root, L1A)["assets"]["product"]["href"], timeout=TIMEOUT)
    assert got.status_code == 503
    assert "STACBRIDGE_CREDENTIALS__MAAP__CLIENT_SECRET" in got.json()["advice"]


def test_searching_needs_no_account() -> None:
    with MaapSimulator() as sim, running(create_app(settings(sim, Credentials()))) as root:
        found = item(root, L1A)
        assert requests.get(found["assets"]["product"]["href"], timeout=TIMEOUT).status_code == 503
        assert requests.get(found["assets"]["thumbnail"]["href"], timeout=TIMEOUT).status_code == 200


def test_what_arrives_is_what_the_catalogue_keeps(root: str) -> None:
    asset = item(root, "CryoSatIceL110")["assets"]["enclosure_nc"]
    path = asset["alternate"]["origin"]["href"].partition("/data/")[2]
    assert requests.get(asset["href"], timeout=TIMEOUT).content == made(path)
