"""The simulated SeDAS behaves as its published client knows the service, and its faults as they are set."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import requests

from stacbridge.simulators import ManualClock
from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults

TIMEOUT = 10
WORLD = {
    "sensorFilters": {"type": "All"},
    "filters": {},
    "aoiWKT": "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))",
    "start": "2000-01-01T00:00:00Z",
    "stop": "2100-01-01T00:00:00Z",
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sim(clock: ManualClock) -> Iterator[SedasSimulator]:
    with SedasSimulator(1500, clock=clock, token_life=600) as running:
        yield running


def login(sim: SedasSimulator, password: str | None = None) -> requests.Response:
    body = {"username": sim.username, "password": password or sim.password}
    return requests.post(f"{sim.url}/authentication", json=body, timeout=TIMEOUT)


def ask(sim: SedasSimulator, path: str, body: Any = None, **headers: str) -> requests.Response:
    token = {"Authorization": f"Token {login(sim).json()['token']}"}
    method = "GET" if body is None else "POST"
    return requests.request(
        method, f"{sim.url}/{path}", json=body or None, headers=token | headers, timeout=TIMEOUT
    )


def oldest(sim: SedasSimulator) -> str:
    return min(sim.products.all, key=lambda product: product.start).name


def test_a_token_is_good_until_the_time_that_it_tells(sim: SedasSimulator, clock: ManualClock) -> None:
    token = login(sim).json()
    headers = {"Authorization": f"Token {token['token']}"}
    url = f"{sim.url}/sensors/satellites"
    assert requests.get(url, headers=headers, timeout=TIMEOUT).status_code == 200
    clock.advance(601)
    refused = requests.get(url, headers=headers, timeout=TIMEOUT)
    assert (refused.status_code, "User token does not exist" in refused.text) == (400, True)
    assert token["validUntil"].endswith("Z")


@pytest.mark.parametrize("status", [401, 403])
def test_how_a_token_is_refused_is_chosen(sim: SedasSimulator, status: Literal[401, 403]) -> None:
    sim.faults = SedasFaults(token_refusal=status)
    headers = {"Authorization": "Token nobody's"}
    answer = requests.get(f"{sim.url}/sensors/satellites", headers=headers, timeout=TIMEOUT)
    assert answer.status_code == status


def test_another_scheme_than_token_is_refused(sim: SedasSimulator) -> None:
    token = login(sim).json()["token"]
    assert ask(sim, "sensors/satellites", Authorization=f"Bearer {token}").status_code == 400


def test_earlier_tokens_stay_good(sim: SedasSimulator) -> None:
    first = login(sim).json()["token"]
    login(sim)
    assert ask(sim, "sensors/satellites", Authorization=f"Token {first}").status_code == 200


def test_a_wrong_password_is_refused(sim: SedasSimulator) -> None:
    assert login(sim, "wrong").status_code == 401


def test_the_firewall_rejects_the_agent_of_urllib(sim: SedasSimulator) -> None:
    answer = ask(sim, "sensors/satellites", **{"User-Agent": "Python-urllib/3.11"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_answers_are_cut_at_a_hundred_without_a_word(sim: SedasSimulator) -> None:
    assert len(sim.products.all) > 100
    answer = ask(sim, "search", WORLD).json()
    assert (list(answer), len(answer["products"])) == (["products"], 100)


def test_some_datatake_has_more_tiles_of_one_second_than_an_answer_holds(sim: SedasSimulator) -> None:
    starts = [product.start for product in sim.products.all]
    assert max(map(starts.count, set(starts))) > 100


def test_unknown_filters_are_ignored(sim: SedasSimulator) -> None:
    plain = ask(sim, "search", WORLD).json()
    assert ask(sim, "search", {**WORLD, "filters": {"moonPhase": 3}}).json() == plain


@pytest.mark.parametrize(
    "body",
    [
        {**WORLD, "aoiWKT": "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))"},
        {**WORLD, "aoiWKT": "POLYGON("},
        {**WORLD, "aoiWKT": None},
        {**WORLD, "start": "soon"},
    ],
    ids=["several areas", "cut", "none", "time"],
)
def test_what_cannot_be_read_is_refused(sim: SedasSimulator, body: Any) -> None:
    assert ask(sim, "search", body).status_code == 400


@pytest.mark.parametrize("slash", ["/", "//"])
def test_an_order_is_staged_after_a_while_and_goes_again(
    sim: SedasSimulator, clock: ManualClock, slash: str
) -> None:
    sim.faults = SedasFaults(staging_seconds=100, staged_life=300)
    headers = {"Authorization": f"Token {login(sim).json()['token']}"}
    url = f"{sim.url}{slash}request"
    order = requests.post(f"{url}/{oldest(sim)}", headers=headers, timeout=TIMEOUT).json()["requestId"]

    def poll() -> Any:
        return requests.get(f"{url}?ids={order}", headers=headers, timeout=TIMEOUT).json()

    assert poll() == [{"requestId": order}]
    clock.advance(100)
    place = poll()[0]["downloadUrl"]
    assert requests.get(place, headers=headers, timeout=TIMEOUT).status_code == 200
    assert "downloadUrl" in ask(sim, f"search/products?ids={oldest(sim)}").json()[0]
    clock.advance(300)
    assert ask(sim, place.removeprefix(f"{sim.url}/")).status_code == 404
    assert "downloadUrl" not in ask(sim, f"search/products?ids={oldest(sim)}").json()[0]


def test_polls_fail_as_often_as_they_are_told_to(sim: SedasSimulator) -> None:
    sim.faults = SedasFaults(poll_failures=2)
    assert [ask(sim, "request?ids=R-1").status_code for _ in range(3)] == [500, 500, 200]


def test_an_unknown_product_is_not_found(sim: SedasSimulator) -> None:
    assert ask(sim, "search/products?ids=nobody").json() == []
    assert ask(sim, "download/nobody").status_code == 404


def test_the_requests_of_the_published_client_are_answered(sim: SedasSimulator) -> None:
    if "STACBRIDGE_RECORDINGS" not in os.environ:
        pytest.skip("STACBRIDGE_RECORDINGS does not name the folder of recordings")
    file = Path(os.environ["STACBRIDGE_RECORDINGS"]) / "sedas" / "client_requests_captured.json"
    for call in json.loads(file.read_text()):
        if call["call"] in ("login", "request", "download_request"):  # these name what is not here
            continue
        headers = {"Authorization": f"Token {login(sim).json()['token']}", "User-Agent": call["user_agent"]}
        url = sim.url.removesuffix("/api") + call["path"]
        answer = requests.request(call["method"], url, json=call["body"], headers=headers, timeout=TIMEOUT)
        assert answer.status_code == 200, call


def test_products_are_not_found_until_they_are_published() -> None:
    with SedasSimulator(500, cap=1000, held=40) as running:
        token = requests.post(
            f"{running.url}/authentication",
            json={"username": running.username, "password": running.password},
            timeout=10,
        ).json()["token"]
        world = {"aoiWKT": "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"}
        asked = world | {"start": "2000-01-01T00:00:00Z", "stop": "2100-01-01T00:00:00Z"}

        def found() -> set[str]:
            headers = {"Authorization": f"Token {token}"}
            answer = requests.post(f"{running.url}/search", json=asked, headers=headers, timeout=10)
            return {product["supplierId"] for product in answer.json()["products"]}

        before = found()
        url = running.url.removesuffix("/api")
        coming = requests.post(f"{url}/simulator/publish?count=15", timeout=10).json()["published"]
        assert found() == before | set(coming)
        assert len(coming) == 15
        assert before.isdisjoint(coming)
