"""What a client is told when a catalogue does not answer, and how it can insist."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.errors import (
    Misconfigured,
    StacbridgeError,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Json, Query
from stacbridge.settings import Settings
from tests.api.archive import alpha, collection, item

DOWN = UpstreamUnavailable("Gamma is down.", upstream="gamma", answered="HTTP 503", retry_after=90)


class Gamma(MemoryCatalogue):
    """A catalogue of three items, newer than all others, that can be made to fail, or to be old."""

    def __init__(self) -> None:
        super().__init__("gamma", [collection("gas")], [item("gas", 1000 + number) for number in range(3)])
        self.failure: StacbridgeError | None = None
        self.silent: StacbridgeError | None = None
        self.seconds_old: float | None = None

    def age(self) -> float | None:
        return self.seconds_old

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        if self.failure:
            raise self.failure
        return super().search(query, root, ready=ready)

    def collections(self) -> list[Json]:
        if self.silent:
            raise self.silent
        return super().collections()


@contextmanager
def bridge(gamma: Gamma, **settings: object) -> Iterator[TestClient]:
    app = create_app(Settings.model_validate({"breaker_failures": 1000, **settings}), [alpha(), gamma])
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def gamma() -> Gamma:
    return Gamma()


def following(page: Json) -> str:
    return next(str(link["href"]) for link in page["links"] if link["rel"] == "next")


def test_a_page_names_who_is_missing_and_why_and_the_next_one_asks_again(gamma: Gamma) -> None:
    gamma.failure = DOWN
    with bridge(gamma) as api:
        reply = api.get("/search?limit=5&count=true")
        page = reply.json()
        assert (reply.status_code, page["numberReturned"], "numberMatched" in page) == (200, 5, False)
        assert page["federation:missing"] == ["gamma"]
        assert page["stacbridge:warnings"] == [
            {
                "catalogue": "gamma",
                "code": "UpstreamUnavailable",
                "reason": "Gamma is down. It answered: HTTP 503",
                "retry_after": 90,
            }
        ]
        assert reply.headers["proxy-status"] == 'stacbridge; error=destination_unavailable; next-hop="gamma"'
        gamma.failure = None
        late = api.get(following(page))
    assert [each["id"] for each in late.json()["features"]][:3] == ["gas-1002", "gas-1001", "gas-1000"]
    assert "federation:missing" not in late.json() and "proxy-status" not in late.headers


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (UpstreamTimeout("Late."), "connection_timeout"),
        (UpstreamUnavailable("Down."), "destination_unavailable"),
        (UpstreamError("Rubbish."), "http_protocol_error"),
        (UpstreamRefused("Who are you?"), "proxy_configuration_error"),
        (Misconfigured("No password."), "proxy_configuration_error"),
    ],
)
def test_kinds_of_failure_are_told_in_the_words_of_rfc_9209(
    gamma: Gamma, failure: StacbridgeError, error: str
) -> None:
    gamma.failure = failure
    with bridge(gamma) as api:
        reply = api.post("/search", json={"limit": 2})
    assert reply.headers["proxy-status"] == f'stacbridge; error={error}; next-hop="gamma"'
    assert reply.json()["stacbridge:warnings"][0]["code"] == failure.code


INSISTING: list[dict[str, Any]] = [
    {"method": "GET", "url": "/search?strict=true"},
    {"method": "POST", "url": "/search", "json": {"strict": True}},
    {"method": "GET", "url": "/search", "headers": {"Prefer": "handling=strict"}},
    {
        "method": "POST",
        "url": "/search",
        "json": {},
        "headers": {"Prefer": 'respond-async, handling="strict"'},
    },
]


@pytest.mark.parametrize("request_", INSISTING)
@pytest.mark.parametrize(
    ("failure", "status"), [(DOWN, 502), (UpstreamTimeout("Late.", upstream="gamma"), 504)]
)
def test_who_insists_on_everything_gets_an_error_instead(
    gamma: Gamma, request_: dict[str, Any], failure: StacbridgeError, status: int
) -> None:
    with bridge(gamma) as api:
        assert api.request(**request_).status_code == 200
        gamma.failure = failure
        reply = api.request(**request_)
    assert (reply.status_code, reply.json()["upstream"]) == (status, "gamma")
    assert 'next-hop="gamma"' in reply.headers["proxy-status"]


def test_a_preference_that_was_applied_is_confirmed_and_other_handling_is_not_strict(gamma: Gamma) -> None:
    with bridge(gamma) as api:
        strict = api.get("/search", headers={"Prefer": "handling=strict"})
        gamma.failure = DOWN
        lenient = api.get("/search", headers={"Prefer": "handling=lenient"})
    assert strict.headers["preference-applied"] == "handling=strict"
    assert lenient.status_code == 200 and "preference-applied" not in lenient.headers


def test_the_next_link_repeats_that_everything_is_wanted(gamma: Gamma) -> None:
    with bridge(gamma) as api:
        assert "strict=true" in following(api.get("/search?limit=2&strict=true").json())


@pytest.mark.parametrize(
    "path", ["/search?collections=gas", "/collections/gas/items", "/collections/gas/items/gas-1000"]
)
def test_a_search_of_that_catalogue_alone_is_a_503_that_says_when_to_come_back(
    gamma: Gamma, path: str
) -> None:
    with bridge(gamma) as api:
        gamma.failure = DOWN
        reply = api.get(path)
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "30")
    assert reply.headers["proxy-status"] == 'stacbridge; error=destination_unavailable; next-hop="gamma"'


def test_collections_that_could_not_be_listed_are_told_to_be_missing(gamma: Gamma) -> None:
    gamma.silent = DOWN
    with bridge(gamma) as api:
        reply = api.get("/collections")
        assert [each["id"] for each in reply.json()["collections"]] == ["optical-l1", "radar-grd"]
        assert reply.json()["federation:missing"] == ["gamma"]
        assert 'next-hop="gamma"' in reply.headers["proxy-status"]
        assert api.get("/").status_code == api.get("/conformance").status_code == 200
        gamma.silent = None
        whole = api.get("/collections").json()
        gamma.silent = DOWN
        assert api.get("/collections").json() == whole
    assert "federation:missing" not in whole and len(whole["collections"]) == 3


def test_searches_and_lists_say_whose_time_it_was(gamma: Gamma) -> None:
    with bridge(gamma) as api:
        search = api.get("/search", headers={"Origin": "https://browser.example"})
        told = {entry.partition(";")[0] for entry in search.headers["server-timing"].split(", ")}
        assert told == {"total", "merge", "alpha", "gamma"}
        assert api.get("/collections").headers["server-timing"].startswith("total;dur=")
    exposed = search.headers["access-control-expose-headers"]
    assert "Server-Timing" in exposed and "Proxy-Status" in exposed


def test_collections_tell_how_old_they_are_and_how_old_they_may_be(gamma: Gamma) -> None:
    with bridge(gamma, collection_seconds=600) as api:
        own = api.get("/collections").headers
        gamma.seconds_old = 12.7
        told = api.get("/collections").headers
        gamma.seconds_old = 4000
        stale = api.get("/collections?limit=1").headers
    assert (own["cache-control"], own.get("age")) == ("max-age=600", None)
    assert (told["cache-control"], told["age"]) == ("max-age=600", "12")
    assert (stale["cache-control"], stale["age"]) == ("max-age=600", "4000")


def test_collections_without_those_of_a_silent_catalogue_are_not_to_be_kept(gamma: Gamma) -> None:
    gamma.silent = DOWN
    with bridge(gamma) as api:
        told = api.get("/collections").headers
    assert (told["cache-control"], told.get("age")) == ("no-store", None)
