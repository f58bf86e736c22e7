"""A catalogue whose products are all in a long-term archive: CDSE's mapping over the simulator of one."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.mapping.mapping import load
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.lta import LtaSimulator
from stacbridge.upstream import Upstream

COLLECTION = "sentinel-2-l2a"
ACCESS = {"flow": "basic", "ordering": "lta", "order_priority": 50, "endpoints": ["download", "catalogue"]}


def settings(url: str, store: str | Path, **more: Any) -> Settings:
    """Settings of a bridge that keeps its orders in `store`, and asks the archive at `url` with patience."""
    given = {
        "endpoints": {"cdse": {"catalogue": url, "download": url}},
        "credentials": {"cdse": Credentials(username="demo", password=SecretStr("demo-password"))},
        "order_store": SecretStr(f"sqlite:///{store}" if isinstance(store, Path) else store),
        "retries": 0,
        **more,
    }
    return Settings(**given)


def catalogue(settings: Settings) -> Upstream:
    """The catalogue over the archive."""
    mapping = load("cdse", settings)
    mapping.access = ACCESS
    return Upstream(mapping, ODataSets(mapping), settings)


def items(simulator: LtaSimulator, count: int) -> list[str]:
    """Ids of items in the archive."""
    names = simulator.names("S2A_MSIL2A", count) + simulator.names("S2B_MSIL2A", count)
    return [name.removesuffix(".SAFE") for name in names[:count]]
