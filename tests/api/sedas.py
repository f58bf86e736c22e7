"""A bridge that takes orders in front of SeDAS's simulator, and what clients ask of it."""

from pathlib import Path

import requests
from pydantic import SecretStr

from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.sedas import SedasSimulator

TIMEOUT = 10
S2 = "sedas-sentinel-2"
POLL = 0.05
HANDED_OUT: set[str] = set()


def settings(sim: SedasSimulator, store: Path) -> Settings:
    account = Credentials(username=sim.username, password=SecretStr(sim.password))
    endpoints = {"catalogue": sim.url, "token": f"{sim.url}/authentication"}
    return Settings(
        catalogues=["sedas"],
        endpoints={"sedas": endpoints},
        credentials={"sedas": account},
        order_store=SecretStr(f"sqlite:///{store}"),
        order_poll=POLL,
        order_poll_most=POLL,
        order_unknown_polls=2,
        max_order_items=20,
        retries=0,
    )


def archived(sim: SedasSimulator, count: int) -> list[str]:
    """Products that no test has had before."""
    products = sorted((p for p in sim.products.all if p.group.name == "S2"), key=lambda p: p.start)
    found = [product.name for product in products if product.name not in HANDED_OUT][:count]
    HANDED_OUT.update(found)
    return found


def post(root: str, item: str, collection: str = S2) -> requests.Response:
    return requests.post(f"{root}/orders", json={"collection": collection, "item": item}, timeout=TIMEOUT)


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=TIMEOUT)
