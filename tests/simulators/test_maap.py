"""The simulator of MAAP has the habits that are known of MAAP."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.faults import Faults
from stacbridge.simulators.maap import MaapSimulator

TIMEOUT = 10


@pytest.fixture(scope="module")
def sim() -> Iterator[MaapSimulator]:
    with MaapSimulator() as running:
        yield running


def get(sim: MaapSimulator, path: str = "", **options: Any) -> requests.Response:
    return requests.get(f"{sim.catalogue_url}{path}", timeout=TIMEOUT, **options)


def token(sim: MaapSimulator, **changed: str) -> requests.Response:
    form = {
        "client_id": "offline-token",
        "client_secret": sim.access.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": sim.access.offline_token,
        "scope": "offline_access openid",
    }
    return requests.post(sim.token_url, data=form | changed, timeout=TIMEOUT)


def asset(sim: MaapSimulator, collection: str, key: str) -> str:
    params = {"collections": collection, "limit": "1"}
    return str(get(sim, "search", params=params).json()["features"][0]["assets"][key]["href"])


def authorized(sim: MaapSimulator) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(sim).json()['access_token']}"}


def test_without_its_last_slash_the_root_is_503(sim: MaapSimulator) -> None:
    answer = requests.get(sim.catalogue_url.rstrip("/"), timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (503, "text/html")
    assert get(sim).json()["id"] == "fedeo"


def test_the_first_link_to_a_search_is_to_an_opensearch_description(sim: MaapSimulator) -> None:
    links = [link for link in get(sim).json()["links"] if link["rel"] == "search"]
    assert "opensearchdescription" in links[0]["type"]
    assert [link.get("method") for link in links[1:]] == ["GET", "POST"]


def test_collections_are_paged_by_start_record(sim: MaapSimulator) -> None:
    first = get(sim, "collections").json()
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    assert (len(first["collections"]), first["numberMatched"]) == (10, 13)
    assert following.endswith("startRecord=11")
    assert len(requests.get(following, timeout=TIMEOUT).json()["collections"]) == 3


def test_items_without_http_accept_are_atom_and_the_next_link_forgets_it(sim: MaapSimulator) -> None:
    path = "collections/BiomassLevel1a/items"
    assert "atom" in get(sim, path, headers={"Accept": "*/*"}).headers["content-type"]
    page = get(sim, path, params={"httpAccept": "application/geo+json"}).json()
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert "httpAccept" not in following


def test_text_ignores_case_and_old_and_new_names_work(sim: MaapSimulator) -> None:
    for filter in ("productType = 's1_scs__1S'", "product:type='S1_SCS__1S'"):
        params = {"collections": "BiomassLevel1a", "filter": filter}
        assert get(sim, "search", params=params).json()["numberMatched"] == 80


@pytest.mark.parametrize("filter", ["nothing = 1", "productType LIKE 'S1%'", "productType ="])
def test_a_filter_that_is_not_known_is_400(sim: MaapSimulator, filter: str) -> None:
    answer = get(sim, "search", params={"collections": "BiomassLevel1a", "filter": filter})
    assert answer.status_code == 400
    assert answer.json()["code"] == "InvalidParameterValue"


def test_posts_take_all_but_filters(sim: MaapSimulator) -> None:
    url = f"{sim.catalogue_url}search"
    body = {"collections": ["BiomassLevel1a"], "limit": 3}
    assert len(requests.post(url, json=body, timeout=TIMEOUT).json()["features"]) == 3
    body["filter"] = {}
    assert requests.post(url, json=body, timeout=TIMEOUT).status_code == 400


def test_nothing_is_sorted(sim: MaapSimulator) -> None:
    assert get(sim, "search", params={"sortby": "datetime"}).status_code == 400
    params = {"collections": "BiomassLevel1a", "limit": "100"}
    times = [item["properties"]["datetime"] for item in get(sim, "search", params=params).json()["features"]]
    assert times != sorted(times)


def test_a_token_wants_the_secret_of_the_client(sim: MaapSimulator) -> None:
    assert token(sim).json()["expires_in"] == 36000
    assert token(sim, client_secret="").status_code == 401
    wrong = token(sim, refresh_token="x")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")


def test_an_offline_token_lives_ninety_days_and_an_access_token_ten_hours() -> None:
    clock = ManualClock()
    with MaapSimulator(clock=clock) as sim:
        url, headers = asset(sim, "BiomassLevel1a", "enclosure_annot_xml"), authorized(sim)
        assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 200
        clock.advance(36000)
        assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 401
        clock.advance(90 * 86400)
        assert token(sim).status_code == 400


def test_a_product_is_zipped_without_length_or_ranges(sim: MaapSimulator) -> None:
    url = asset(sim, "BiomassLevel1a", "product")
    answer = requests.get(url, headers={**authorized(sim), "Range": "bytes=0-9"}, timeout=TIMEOUT)
    assert answer.status_code == 200
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_a_file_is_served_in_parts(sim: MaapSimulator) -> None:
    url = asset(sim, "BiomassLevel1a", "enclosure_i_abs_tiff")
    answer = requests.get(url, headers={**authorized(sim), "Range": "bytes=0-9"}, timeout=TIMEOUT)
    assert (answer.status_code, len(answer.content)) == (206, 10)


def test_only_public_pictures_want_no_token_and_some_collections_more(sim: MaapSimulator) -> None:
    assert requests.get(asset(sim, "BiomassLevel1a", "thumbnail"), timeout=TIMEOUT).status_code == 200
    assert requests.get(asset(sim, "BiomassLevel1a", "product"), timeout=TIMEOUT).status_code == 401
    url = asset(sim, "BiomassLevel1aIOC", "product")
    assert requests.get(url, headers=authorized(sim), timeout=TIMEOUT).status_code == 403


def test_a_transfer_can_break_off(sim: MaapSimulator) -> None:
    url = asset(sim, "BiomassLevel1a", "product")
    headers = authorized(sim)
    sim.faults = Faults(cut_after_bytes=1000)
    try:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(url, headers=headers, timeout=TIMEOUT)
    finally:
        sim.faults = Faults()
