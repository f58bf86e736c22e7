"""The shipped MAAP catalogue in front of a simulator of it."""

from typing import Any

from pydantic import SecretStr

from stacbridge.model import Json, Query
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.upstream import Upstream

ROOT = "http://bridge"
L1A = "BiomassLevel1a"
EARTHCARE = "EarthCAREL1Validated_MAAP"


def settings(sim: MaapSimulator, account: Credentials | None = None, **more: Any) -> Settings:
    """Return settings with the simulator's addresses, and an account for it."""
    own = Credentials(
        refresh_token=SecretStr(sim.access.offline_token), client_secret=SecretStr(sim.access.client_secret)
    )
    endpoints = {"catalogue": sim.catalogue_url, "data": sim.data_url, "token": sim.token_url}
    return Settings.model_validate(
        {
            "catalogues": ["maap"],
            "endpoints": {"maap": endpoints},
            "credentials": {"maap": account or own},
            **more,
        }
    )


def walked(upstream: Upstream, **query: Any) -> list[Json]:
    """Return the items of all pages of a search."""
    found: list[Json] = []
    position: Json | None = None
    while True:
        page = upstream.search(Query(**query, position=position), ROOT)
        found += page.items
        position = page.position
        if position is None:
            return found
