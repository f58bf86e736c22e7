"""The STAC API that `search` and `download` ask: one elsewhere, or a bridge of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pystac
from pystac_client import Client
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO

from stacbridge.commands.bridge import running
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.replies import refusal
from stacbridge.commands.target import Target
from stacbridge.errors import StacbridgeError

CONNECT_TIMEOUT = 10
# A search that counts, or walks many upstream pages, takes its time.
READ_TIMEOUT = 300
NO_API = (ValueError, KeyError, TypeError, AttributeError, OSError, pystac.STACError, ClientTypeError)
"""What pystac and pystac-client raise at documents of another kind, and at links that lead to no server."""


@contextmanager
def api(target: Target) -> Iterator[Client]:
    """Open the STAC API of a target; without a URL, that of a bridge that runs as long as the block lasts.

    That bridge is the one's who runs the command, and asks nobody, whatever the settings say of others.
    """
    if target.url is None:
        # Imported here, because it takes long, and is not needed for an API elsewhere.
        from stacbridge.app import create_app

        settings = load_settings().model_copy(update={"access": "open", "accounts": {}})
        with running(create_app(settings), settings.drain_seconds) as own:
            yield _open(own, target)
    else:
        yield _open(target.url, target)


@contextmanager
def told(url: str) -> Iterator[None]:
    """Turn failures of the API into ours."""
    try:
        yield
    except APIError as error:
        raise failure(error, url) from error
    except NO_API as error:
        raise StacbridgeError("This is not a STAC API.", asked=url, advice="Check --url.") from error


def failure(error: APIError, url: str) -> StacbridgeError:
    """Return what an error of the API says."""
    status = getattr(error, "status_code", None)
    if status is None:
        return StacbridgeError("The API cannot be reached.", asked=url, answered=str(error))
    return refusal(status, str(error).encode(), url)


def _open(url: str, target: Target) -> Client:
    io = StacApiIO(timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), max_retries=None)
    target.open(io.session, url)
    with told(url):
        return Client.open(url, stac_io=io)
