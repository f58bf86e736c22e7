"""Section E: one of four catalogues is down, or late, or all are, or one comes back."""

import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from conformance.faults.kit import Wavering, heard, served
from stacbridge.errors import StacbridgeError, UpstreamUnavailable
from stacbridge.federation import Federation
from stacbridge.model import Json, Query
from stacbridge.settings import Settings
from tests.servers import Clock
from tests.unit.download_servers import PATIENCE, Heard, within

IDS = ("one", "two", "three", "four")
DOWN = UpstreamUnavailable("Four is down.", upstream="four", retry_after=9)


def four() -> list[Wavering]:
    return [Wavering(id) for id in IDS]


def page(answer: Heard) -> Json:
    return dict(orjson.loads(answer.body))


def following(found: Json) -> str:
    """Return path and query of the next page."""
    (href,) = [link["href"] for link in found["links"] if link["rel"] == "next"]
    return str(href).partition("127.0.0.1")[2].partition("/")[2]


def items_of(found: Json) -> set[str]:
    return {feature["collection"] for feature in found["features"]}


def test_f51_one_down_is_named_and_its_items_come_with_the_next_page() -> None:
    catalogues = four()
    with served(*catalogues) as port:
        catalogues[3].failure = DOWN
        answer = heard(port, "/search")
        found = page(answer)
        assert (answer.status, found["federation:missing"]) == (200, ["four"])
        assert items_of(found) == {"one", "two", "three"}
        assert found["stacbridge:warnings"][0]["retry_after"] == 9
        assert 'next-hop="four"' in answer.headers["proxy-status"]
        assert "numberMatched" not in found
        catalogues[3].failure = None
        late = page(heard(port, f"/{following(found)}"))
    assert items_of(late) == {"four"} and "federation:missing" not in late


def test_f51_one_that_hangs_is_not_waited_for() -> None:
    catalogues = four()
    with served(*catalogues, catalogue_deadline=0.5) as port:
        catalogues[3].go.clear()
        started = time.monotonic()
        found = page(heard(port, "/search"))
        assert time.monotonic() - started < PATIENCE / 2
        assert (found["federation:missing"], items_of(found)) == (["four"], {"one", "two", "three"})
        catalogues[3].go.set()


@pytest.mark.parametrize("header", [{"Prefer": "handling=strict"}, {}])
def test_f51_who_wants_all_or_nothing_gets_an_error(header: dict[str, str]) -> None:
    catalogues = four()
    catalogues[3].failure = DOWN
    with served(*catalogues) as port:
        answer = heard(port, "/search" if header else "/search?strict=true", headers=header)
    assert answer.status in (502, 503, 504)


def test_f52_the_only_one_asked_being_down_is_503_and_when_to_come_back() -> None:
    catalogues = four()
    with served(*catalogues) as port:
        assert heard(port, "/collections").status == 200
        catalogues[3].failure = DOWN
        answer = heard(port, "/search?collections=four")
    assert (answer.status, answer.headers["retry-after"]) == (503, "9")


def test_f53_with_all_down_what_the_bridge_knows_is_still_told() -> None:
    catalogues = four()
    with served(*catalogues) as port:
        assert len(page(heard(port, "/collections"))["collections"]) == 4
        for catalogue in catalogues:
            catalogue.failure = DOWN
        assert heard(port, "/search").status == 503
        for path in ("/", "/collections/one", "/conformance", "/api", "/healthz", "/health"):
            assert heard(port, path).status == 200, path
        assert len(page(heard(port, "/collections"))["collections"]) == 4


def test_f54_one_that_was_down_is_tried_by_one_request_not_by_the_herd() -> None:
    clock, back = Clock(), Wavering("back")
    federation = Federation([back], Settings(breaker_failures=2, breaker_seconds=30), clock=clock)
    back.failure = DOWN
    assert [asked_of(federation) for _ in range(3)] == ["UpstreamUnavailable"] * 3
    assert back.asked == 2
    back.failure = None
    back.go.clear()
    clock.now += 30
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(asked_of, federation) for _ in range(20)]
        assert within(PATIENCE, lambda: sum(each.done() for each in asked) == 19)
        assert back.asked == 3
        back.go.set()
        assert sorted(each.result(PATIENCE) for each in asked) == ["UpstreamUnavailable"] * 19 + ["found"]
    assert asked_of(federation) == "found"
    federation.close()


def asked_of(federation: Federation) -> str:
    """Search; return what came of it."""
    try:
        return "found" if federation.search(Query(), None, "http://bridge").items else "nothing"
    except StacbridgeError as failure:
        return failure.code
