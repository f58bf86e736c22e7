"""Searching over GET and POST: what is asked, what comes back, how pages follow each other."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

Json = dict[str, Any]


def ids(page: Json) -> list[str]:
    return [item["id"] for item in page["features"]]


def next_link(page: Json) -> Json | None:
    return next((link for link in page["links"] if link["rel"] == "next"), None)


def walk_get(api: TestClient, url: str) -> list[str]:
    found: list[str] = []
    while True:
        page = api.get(url).json()
        found += ids(page)
        link = next_link(page)
        if link is None:
            return found
        assert page["features"]
        url = link["href"]


def walk_post(api: TestClient, body: Json) -> list[str]:
    found: list[str] = []
    while True:
        page = api.post("/search", json=body).json()
        found += ids(page)
        link = next_link(page)
        if link is None:
            return found
        assert link["method"] == "POST" and "merge" not in link
        body = link["body"]


def test_pages_of_a_get_hold_every_item_once_over_both_catalogues(api: TestClient) -> None:
    found = walk_get(api, "/search?limit=37")
    assert len(found) == len(set(found)) == 420 + 30 + 45


def test_pages_of_a_post_are_those_of_a_get(api: TestClient) -> None:
    body = {"collections": ["thermal-l2", "radar-grd"], "limit": 7, "bbox": [10, 10, 15, 15]}
    url = "/search?collections=thermal-l2,radar-grd&limit=7&bbox=10,10,15,15"
    assert walk_post(api, body) == walk_get(api, url) != []


def test_a_page_goes_on_into_the_next_catalogue(api: TestClient) -> None:
    page = api.get("/search?collections=radar-grd,thermal-l2&limit=40").json()
    assert {item["collection"] for item in page["features"]} == {"radar-grd", "thermal-l2"}
    assert page["numberReturned"] == len(page["features"]) == 40


def test_newest_items_come_first_unless_sorted(api: TestClient) -> None:
    times = [
        item["properties"]["datetime"]
        for item in api.get("/search?collections=optical-l1&limit=50").json()["features"]
    ]
    assert times == sorted(times, reverse=True)


def test_the_next_link_of_a_get_repeats_the_search_and_the_page_size(api: TestClient) -> None:
    link = next_link(api.get("/search?collections=radar-grd&limit=3&datetime=2024-01-01T00:00:00Z/..").json())
    assert link
    assert link["method"] == "GET"
    asked = parse_qs(urlsplit(link["href"]).query)
    assert asked.pop("token")
    assert asked == {"collections": ["radar-grd"], "limit": ["3"], "datetime": ["2024-01-01T00:00:00Z/.."]}


def test_the_next_link_of_a_post_holds_the_whole_body(api: TestClient) -> None:
    body = {
        "collections": ["radar-grd"],
        "limit": 3,
        "filter": {"op": ">", "args": [{"property": "eo:cloud_cover"}, 2]},
    }
    link = next_link(api.post("/search", json=body).json())
    assert link
    assert link["body"].pop("token")
    assert link["body"] == body


def test_a_credential_in_the_query_never_reaches_a_link(api: TestClient) -> None:
    page = api.get("/search?limit=1&Authorization=Bearer+sesame").json()
    assert "sesame" not in str(page)


def test_a_token_of_another_search_is_refused(api: TestClient) -> None:
    link = next_link(api.get("/search?limit=3&collections=radar-grd").json())
    assert link
    reply = api.get(link["href"].replace("radar-grd", "thermal-l2"))
    assert (reply.status_code, reply.json()["parameter"]) == (400, "token")


def test_a_made_up_token_is_refused(api: TestClient) -> None:
    reply = api.post("/search", json={"token": "next:42"})
    assert (reply.status_code, reply.json()["parameter"]) == (400, "token")


def test_ids_alone_find_items_in_any_catalogue(api: TestClient) -> None:
    page = api.get("/search?ids=radar-grd-0003,thermal-l2-0004,radar-grd").json()
    assert sorted(ids(page)) == ["radar-grd-0003", "thermal-l2-0004"]


def test_ids_do_not_override_the_other_conditions(api: TestClient) -> None:
    assert ids(api.get("/search?ids=radar-grd-0003&bbox=100,0,101,1").json()) == []


def test_unknown_collections_match_nothing(api: TestClient) -> None:
    assert ids(api.get("/search?collections=nothing").json()) == []
    page = api.get("/search?collections=nothing,radar-grd&limit=100").json()
    assert {item["collection"] for item in page["features"]} == {"radar-grd"}


def test_all_collection_ids_are_no_condition(api: TestClient) -> None:
    everything = "optical-l1,radar-grd,thermal-l2"
    assert walk_get(api, f"/search?collections={everything}&limit=250") == walk_get(api, "/search?limit=250")


def test_a_limit_beyond_the_largest_is_served_as_the_largest(api: TestClient) -> None:
    assert api.get("/search?limit=1000000").json()["numberReturned"] == 495


def test_the_default_page_has_a_hundred_items(api: TestClient) -> None:
    assert api.get("/search").json()["numberReturned"] == 100


def test_matches_are_counted_only_when_asked_for(api: TestClient) -> None:
    assert "numberMatched" not in api.get("/search?limit=2").json()
    assert api.get("/search?limit=2&count=true").json()["numberMatched"] == 495
    assert api.post("/search", json={"limit": 2, "count": True}).json()["numberMatched"] == 495


def test_a_page_of_one_is_counted_because_that_is_how_pystac_client_asks(api: TestClient) -> None:
    assert api.get("/search?limit=1&collections=radar-grd").json()["numberMatched"] == 30


@pytest.mark.parametrize(
    "text", ["2024-01-03T00:00:00Z", "2024-01-03t00:00:00.000000000z", "2024-01-03T01:00:00+01:00"]
)
def test_instants_are_read_in_every_rfc_3339_form(api: TestClient, text: str) -> None:
    assert api.get("/search", params={"datetime": text}).status_code == 200


def test_an_items_own_datetime_finds_it(api: TestClient) -> None:
    item = api.get("/search?collections=optical-l1&limit=1").json()["features"][0]
    found = api.get(
        "/search", params={"datetime": item["properties"]["datetime"], "collections": "optical-l1"}
    )
    assert ids(found.json()) == [item["id"]]


def test_instants_without_a_time_zone_are_taken_from_qgis_alone(api: TestClient) -> None:
    asked = {"datetime": "2024-01-03T00:00:00.000/2024-01-04T00:00:00.000", "limit": "2"}
    qgis = api.get("/search", params=asked, headers={"User-Agent": "Mozilla/5.0 QGIS/34200/Debian"})
    assert qgis.status_code == 200
    assert "2024-01-03T00%3A00%3A00.000Z%2F" in next_link(qgis.json())["href"]  # type: ignore[index]
    assert api.get("/search", params=asked).status_code == 400


def test_a_box_may_cross_the_antimeridian(api: TestClient) -> None:
    assert ids(api.get("/search?bbox=170,-10,-170,10&limit=5").json()) == []
    assert api.get("/search?bbox=25,10,-170,12&limit=500").json()["numberReturned"] > 0


def test_a_box_may_have_heights(api: TestClient) -> None:
    flat, high = api.get("/search?bbox=10,10,12,12"), api.get("/search?bbox=10,10,0,12,12,100")
    assert ids(flat.json()) == ids(high.json()) != []


def test_a_geometry_is_taken_from_get_and_post(api: TestClient) -> None:
    shape = '{"type": "Point", "coordinates": [12.5, 12.5]}'
    found = ids(api.get("/search", params={"intersects": shape}).json())
    assert (
        found
        == ids(api.post("/search", content=f'{{"intersects": {shape}}}'.encode(), headers=JSON).json())
        != []
    )


JSON = {"Content-Type": "application/json"}


def test_null_members_count_as_absent(api: TestClient) -> None:
    names = (
        "collections",
        "ids",
        "bbox",
        "intersects",
        "datetime",
        "limit",
        "filter",
        "sortby",
        "token",
        "count",
    )
    assert api.post("/search", json=dict.fromkeys(names)).json()["numberReturned"] == 100


def test_a_lone_string_of_collections_is_one_collection(api: TestClient) -> None:
    found = api.post("/search", json={"collections": "radar-grd", "limit": 50}).json()
    assert found["numberReturned"] == 30


def test_lists_may_repeat_the_parameter(api: TestClient) -> None:
    repeated = api.get("/search?collections=radar-grd&collections=thermal-l2&limit=100").json()
    assert repeated["numberReturned"] == 75


def test_unknown_parameters_are_ignored(api: TestClient) -> None:
    assert api.get("/search?limit=2&nonsense=1").json()["numberReturned"] == 2
    assert api.post("/search", json={"limit": 2, "nonsense": 1}).json()["numberReturned"] == 2


def test_the_items_of_a_collection_are_paged_and_link_to_themselves_without_a_query(api: TestClient) -> None:
    url = "/collections/radar-grd/items?limit=8"
    page = api.get(url).json()
    links = {link["rel"]: link["href"] for link in page["links"]}
    assert links["self"] == "http://testserver/collections/radar-grd/items"
    assert links["collection"] == links["parent"] == "http://testserver/collections/radar-grd"
    assert len(set(walk_get(api, url))) == 30


def test_an_item_is_found_by_its_ids_and_nothing_else(api: TestClient) -> None:
    found = api.get("/collections/radar-grd/items/radar-grd-0003")
    assert found.headers["content-type"] == "application/geo+json"
    links = {link["rel"]: link["href"] for link in found.json()["links"]}
    home = "http://testserver/collections/radar-grd"
    assert links["self"] == f"{home}/items/radar-grd-0003"
    assert links["collection"] == links["parent"] == home
    assert links["root"] == "http://testserver/"
    for path in ("radar-grd/items/radar-grd-00", "optical-l1/items/radar-grd-0003", "nothing/items/x"):
        assert api.get(f"/collections/{path}").status_code == 404


def test_assets_are_served_under_their_own_file_name_beside_their_origin(api: TestClient) -> None:
    asset = api.get("/collections/radar-grd/items/radar-grd-0003").json()["assets"]["image"]
    assert asset["href"] == "http://testserver/assets/alpha/radar-grd/radar-grd-0003/image/radar-grd-0003.tif"
    assert asset["alternate"]["origin"]["href"] == "https://origin.example/products/radar-grd-0003.tif"
