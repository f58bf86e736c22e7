"""All simulated catalogues at once, and how a bridge reaches them: endpoints and an account for each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from .maap import MaapSimulator
from .opensearch import OpenSearchSimulator
from .s3 import S3Simulator
from .sedas import SedasSimulator
from .server import CdseSimulator

Site = dict[str, Any]


@contextmanager
def everything(cdse_size: int, **cdse_options: Any) -> Iterator[dict[str, Site]]:
    """Run all simulators; give `{catalogue: {"endpoints": {name: url}, "account": {name: value}}}`.

    SeDAS shares scenes with CDSE.
    """
    options = {"cdse": {"size": cdse_size, **cdse_options}, "sedas": {"shared": cdse_size}}
    with ExitStack() as running:
        yield {name: running.enter_context(run(**options.get(name, {}))) for name, run in SITES.items()}


@contextmanager
def cdse(**options: Any) -> Iterator[Site]:
    """Run CDSE's simulator, and a storage in which nothing is: the account has no key to it."""
    with CdseSimulator(**options) as running, S3Simulator({}) as storage:
        yield {
            "endpoints": {
                "catalogue": running.catalogue_url,
                "download": running.download_url,
                "token": running.token_url,
                "authorize": _beside(running.token_url, "auth"),
                "logout": _beside(running.token_url, "logout"),
                "s3": storage.url,
            },
            "account": {"username": running.username, "password": running.password},
        }


@contextmanager
def sedas(**options: Any) -> Iterator[Site]:
    """Run SeDAS's simulator."""
    with SedasSimulator(**options) as running:
        yield {
            "endpoints": {"catalogue": running.url, "token": f"{running.url}/authentication"},
            "account": {"username": running.username, "password": running.password},
        }


@contextmanager
def terrascope(**options: Any) -> Iterator[Site]:
    """Run Terrascope's simulator."""
    with OpenSearchSimulator(**options) as running:
        yield {
            "endpoints": {
                "description": f"{running.url}/catalogue/description",
                "download": f"{running.url}/download",
                "token": running.token_url,
                "authorize": _beside(running.token_url, "auth"),
                "logout": _beside(running.token_url, "logout"),
            },
            "account": {"username": running.username, "password": running.password},
        }


@contextmanager
def maap(**options: Any) -> Iterator[Site]:
    """Run MAAP's simulator."""
    with MaapSimulator(**options) as running:
        yield {
            "endpoints": {
                "catalogue": running.catalogue_url,
                "data": running.data_url,
                "token": running.token_url,
            },
            "account": {
                "refresh_token": running.access.offline_token,
                "client_secret": running.access.client_secret,
            },
        }


SITES: dict[str, Callable[..., AbstractContextManager[Site]]] = {
    "cdse": cdse,
    "sedas": sedas,
    "terrascope": terrascope,
    "maap": maap,
}
"""The simulator of each catalogue, by its id."""


def _beside(token_url: str, name: str) -> str:
    """Return the address of another endpoint of the same OpenID Connect service."""
    return f"{token_url.removesuffix('/token')}/{name}"
