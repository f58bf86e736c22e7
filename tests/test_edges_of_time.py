"""Searches from the first years of the calendar to its last moment, at every shipped catalogue."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.settings import Settings
from stacbridge.simulators.demo import everything

CATALOGUES = ("cdse", "sedas", "terrascope", "maap")
FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"


@pytest.fixture(scope="module")
def bridge() -> Iterator[TestClient]:
    with everything(1000) as sites:
        settings = Settings(
            catalogues=list(sites),
            endpoints={name: site["endpoints"] for name, site in sites.items()},
            credentials={name: site["account"] for name, site in sites.items()},
        )
        with TestClient(create_app(settings)) as client:
            yield client


def found(bridge: TestClient, catalogue: str, **asked: str) -> list[str]:
    reply = bridge.get(f"/catalogues/{catalogue}/search", params={"limit": "5"} | asked)
    assert reply.status_code == 200, reply.text
    return [item["id"] for item in reply.json()["features"]]


@pytest.mark.parametrize("catalogue", CATALOGUES)
@pytest.mark.parametrize(
    "asked",
    [
        {"datetime": f"../{LAST}"},
        {"datetime": f"{FIRST}/.."},
        {"datetime": f"{FIRST}/{LAST}"},
        {"datetime": "0999-12-31T23:59:59Z/9999-12-31T23:59:60Z"},
        {"filter": f"datetime <= TIMESTAMP('{LAST}')"},
        {"filter": f"datetime > TIMESTAMP('{FIRST}')"},
        {"filter": f"T_INTERSECTS(datetime, INTERVAL('{FIRST}', '{LAST}'))"},
    ],
)
def test_all_of_time_is_searched_like_no_time_at_all(
    bridge: TestClient, catalogue: str, asked: dict[str, str]
) -> None:
    assert found(bridge, catalogue, **asked) == found(bridge, catalogue) != []


@pytest.mark.parametrize("catalogue", CATALOGUES)
@pytest.mark.parametrize(
    "asked",
    [
        {"datetime": FIRST},
        {"datetime": f"../{FIRST}"},
        {"datetime": LAST},
        {"datetime": f"{LAST}/.."},
        {"filter": f"datetime < TIMESTAMP('{FIRST}')"},
        {"filter": f"datetime > TIMESTAMP('{LAST}')"},
        {"filter": f"datetime = TIMESTAMP('{LAST}')"},
    ],
)
def test_nothing_is_found_at_the_edges_of_time(
    bridge: TestClient, catalogue: str, asked: dict[str, str]
) -> None:
    assert found(bridge, catalogue, **asked) == []
