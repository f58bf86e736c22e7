"""All simulated catalogues at once, and how a bridge reaches them: endpoints and an account for each."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from .maap import MaapSimulator
from .opensearch import OpenSearchSimulator
from .sedas import SedasSimulator
from .server import CdseSimulator

Site = dict[str, Any]


@contextmanager
def everything(cdse_size: int, **cdse_options: Any) -> Iterator[dict[str, Site]]:
    """Run all simulators; give `{catalogue: {"endpoints": {name: url}, "account": {name: value}}}`."""
    with ExitStack() as running:
        cdse = running.enter_context(CdseSimulator(cdse_size, **cdse_options))
        sedas = running.enter_context(SedasSimulator())
        terrascope = running.enter_context(OpenSearchSimulator())
        maap = running.enter_context(MaapSimulator())
        yield {
            "cdse": {
                "endpoints": {
                    "catalogue": cdse.catalogue_url,
                    "download": cdse.download_url,
                    "token": cdse.token_url,
                    "authorize": _beside(cdse.token_url, "auth"),
                    "logout": _beside(cdse.token_url, "logout"),
                },
                "account": {"username": cdse.username, "password": cdse.password},
            },
            "sedas": {
                "endpoints": {"catalogue": sedas.url, "token": f"{sedas.url}/authentication"},
                "account": {"username": sedas.username, "password": sedas.password},
            },
            "terrascope": {
                "endpoints": {
                    "description": f"{terrascope.url}/catalogue/description",
                    "download": f"{terrascope.url}/download",
                    "token": terrascope.token_url,
                    "authorize": _beside(terrascope.token_url, "auth"),
                    "logout": _beside(terrascope.token_url, "logout"),
                },
                "account": {"username": terrascope.username, "password": terrascope.password},
            },
            "maap": {
                "endpoints": {
                    "catalogue": maap.catalogue_url,
                    "data": maap.data_url,
                    "token": maap.token_url,
                },
                "account": {
                    "refresh_token": maap.access.offline_token,
                    "client_secret": maap.access.client_secret,
                },
            },
        }


def _beside(token_url: str, name: str) -> str:
    """Return the address of another endpoint of the same OpenID Connect service."""
    return f"{token_url.removesuffix('/token')}/{name}"
