"""Failures that are not the caller's: of an upstream, of its records, of the configuration, of ours."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.errors import LoginRefused, Misconfigured, UpstreamUnavailable
from stacbridge.memory import MemoryCatalogue
from stacbridge.model import Found, Query, Skipped
from stacbridge.settings import Settings
from tests.api.archive import alpha, collection, item


class Failing(MemoryCatalogue):
    """A catalogue whose searches raise what it is given."""

    def __init__(self, failure: Exception) -> None:
        super().__init__("failing", [collection("radar-grd")], [])
        self.failure = failure

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        raise self.failure


def asked_of(catalogue: MemoryCatalogue) -> Any:
    with TestClient(create_app(Settings(), [catalogue]), raise_server_exceptions=False) as client:
        return client.get("/search", headers={"Origin": "https://browser.example"})


def test_a_failing_upstream_is_told_with_who_what_and_when_to_come_back() -> None:
    failure = UpstreamUnavailable(
        "The catalogue is down.", upstream="failing", asked="GET /Products", answered="503", retry_after=900
    )
    reply = asked_of(Failing(failure))
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "30")
    assert reply.json() == {
        "code": "UpstreamUnavailable",
        "description": "The catalogue is down. It answered: 503",
        "upstream": "failing",
        "asked": "GET /Products",
        "answered": "503",
        "retry_after": 900,
        "request_id": reply.headers["x-request-id"],
    }


def test_a_refused_account_is_told_and_clients_are_not_asked_to_repeat_it() -> None:
    refused = LoginRefused("The upstream refuses the account.", upstream="failing", retry_after=900)
    reply = asked_of(Failing(refused))
    assert (reply.status_code, reply.json()["retry_after"]) == (503, 900)
    assert "retry-after" not in reply.headers


def test_a_missing_setting_is_a_503_that_names_it() -> None:
    reply = asked_of(Failing(Misconfigured("The setting `credentials.x.password` is missing.")))
    assert (reply.status_code, reply.json()["code"]) == (503, "Misconfigured")


def test_a_fault_of_ours_is_a_500_without_internals_that_browsers_can_read() -> None:
    reply = asked_of(Failing(RuntimeError("password=sesame")))
    assert (reply.status_code, reply.json()["code"]) == (500, "InternalServerError")
    assert "sesame" not in reply.text
    assert reply.headers["access-control-allow-origin"] == "*"


class Skipping(MemoryCatalogue):
    """A catalogue some of whose records cannot become items."""

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        found = super().search(query, root, ready=ready)
        skipped = (
            Skipped("A", "it has no start time", 1),
            Skipped("B", "it has no start time", 2),
            Skipped("C", "x", 3),
        )
        return replace(found, skipped=skipped)


def test_records_that_could_not_become_items_are_counted_in_the_answer() -> None:
    catalogue = Skipping("skipping", [collection("radar-grd")], [item("radar-grd", 1)])
    assert asked_of(catalogue).json()["stacbridge:skipped"] == {
        "count": 3,
        "reasons": {"it has no start time": 2, "x": 1},
    }


def test_a_collection_in_two_catalogues_is_refused_at_the_start() -> None:
    twin = MemoryCatalogue("twin", [collection("radar-grd")], [])
    with pytest.raises(Misconfigured, match="'radar-grd' is in both catalogues 'alpha' and 'twin'"):
        create_app(Settings(), [alpha(), twin])
