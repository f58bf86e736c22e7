"""`stacbridge serve`: answer as a STAC API."""

import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from ipaddress import ip_address
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from pydantic import SecretStr

from stacbridge.commands.bridge import listen, serve, url_of
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.simulators import simulated
from stacbridge.draining import Drain
from stacbridge.errors import Misconfigured
from stacbridge.logs import configure
from stacbridge.orders.store import is_server
from stacbridge.settings import Credentials, Settings

if TYPE_CHECKING:
    from stacbridge.accounts import OwnAccounts
    from stacbridge.upstream import Upstream

log = logging.getLogger(__name__)

LEVELS = ("critical", "error", "warning", "info", "debug")
TRY = """
Try it, in another terminal (pip install pystac-client):

  from pystac_client import Client
  api = Client.open("{url}")
  search = api.search(collections=["sentinel-2-l2a"], bbox=[5, 40, 15, 50], max_items=3)
  for item in search.items():
      print(item.id, item.properties["datetime"])
"""
OPEN = (
    "Warning: {host} is not a loopback address. Whoever reaches it can search, and download with the accounts"
    " that are set, without being asked who they are."
)
CLOSE = (
    'Set access to "keys" or "oidc"; or open_to_network, if something else decides who reaches that address.'
)
ACCOUNT = "Account for {id}: {said}"


@click.command
@click.option("--host", help="Address to listen on, instead of the settings' (127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port, instead of the settings' (8080); 0: any free one."
)
@click.option(
    "--shared-port",
    type=click.IntRange(1, 65535),
    help="Port to listen on, too, as other bridges here do.",
)
@click.option("--demo", is_flag=True, help="Serve a simulated archive that needs no network and no account.")
@click.option(
    "--log-level", type=click.Choice(LEVELS), default="warning", show_default=True, help="info logs requests."
)
def command(host: str | None, port: int | None, shared_port: int | None, demo: bool, log_level: str) -> None:
    """Serve the configured catalogues as one STAC API.

    Without any settings that is the real CDSE, whose search needs no account.
    """
    with (
        configured(demo, host=host, port=port, shared_port=shared_port) as settings,
        listen(settings.host, settings.port) as own,
    ):
        check_shared(settings)
        for line in introduction(settings, demo):
            click.echo(line)
        # Imported here, so that the lines above are on the screen while the rest loads.
        from stacbridge.app import create_app, loaded

        catalogues = loaded(settings)
        for line in accounts(catalogues):
            click.echo(line)
        configure(log_level, settings.log_format)
        drain = Drain(settings.drain_seconds, settings.drain_notice)
        with suppress(KeyboardInterrupt), ended(catalogues):
            app = create_app(settings, catalogues, drain)
            with joined(own, settings) as listening:
                url = settings.public_url or url_of(listening[-1])
                ready = f"Ready: {url}\n{TRY.format(url=url)}"
                serve(app, listening, lambda: click.echo(ready), settings.head_timeout, drain)
    leave()


def check_shared(settings: Settings) -> None:
    """Refuse to share a port with bridges that clients would take for another.

    Raises `Misconfigured` where pages found by one could not go on at another, or where together they would
    open more connections than an account may.
    """
    if settings.shared_port is None:
        return
    together = {"secret": settings.secret, "leases": settings.leases or is_server(settings)}
    if missing := [name for name, value in together.items() if not value]:
        raise Misconfigured(
            f"Bridges that share port {settings.shared_port} must have the same {' and '.join(missing)}.",
            advice="Set secret, so that a page found by one goes on at another; and leases to one file, so "
            "that together they open no more connections than an account may.",
        )


@contextmanager
def joined(own: socket.socket, settings: Settings) -> Iterator[list[socket.socket]]:
    """Listen on the shared port, too, if there is one: from now on clients of it are sent here."""
    if settings.shared_port is None:
        yield [own]
        return
    with listen(settings.host, settings.shared_port, shared=True) as shared:
        yield [own, shared]


def leave() -> None:
    """End the process although threads still wait for upstreams, whose answers nobody will read.

    Python would wait for them, which takes as long as those upstreams may.
    """
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@contextmanager
def ended(catalogues: Sequence["Upstream | OwnAccounts"]) -> Iterator[None]:
    """End the accounts' sessions after the block, all at once: whoever stops the bridge waits for it."""
    try:
        yield
    finally:
        with ThreadPoolExecutor(len(catalogues) or 1) as threads:
            closing = {catalogue.id: threads.submit(catalogue.close) for catalogue in catalogues}
        for id, closed in closing.items():
            if (failure := closed.exception()) is not None:
                log.error("The account at %s was not closed: %s", id, failure)


@contextmanager
def configured(demo: bool, **given: Any) -> Iterator[Settings]:
    """Read the settings; for a demo they point to simulators that run as long as the block lasts.

    Orders of a demo are kept as long, too: nobody takes them up once its archives have gone.
    """
    if not demo:
        yield load_settings(**given)
        return
    with TemporaryDirectory(prefix="stacbridge-demo-") as folder, simulated() as announcement:
        import_module("stacbridge.app")  # slow, and the simulators start meanwhile
        sites = announcement()
        yield load_settings(
            catalogues=list(sites),
            endpoints={id: site["endpoints"] for id, site in sites.items()},
            credentials={id: Credentials(**site["account"]) for id, site in sites.items()},
            keep_sessions=False,
            order_store=SecretStr(f"sqlite:///{folder}/orders.sqlite"),
            **given,
        )


def introduction(settings: Settings, demo: bool) -> Iterator[str]:
    """Say what will be served, and what to know about it.

    Raises `Misconfigured` where everybody on a network could spend the accounts' quotas unasked.
    """
    exposed = settings.access == "open" and not _is_loopback(settings.host)
    if exposed and not settings.open_to_network:
        raise Misconfigured(
            f"{settings.host} is not a loopback address, and the bridge asks nobody who they are.",
            advice=CLOSE,
        )
    yield f"Serving {', '.join(settings.catalogues)}{' (simulated)' if demo else ''} as one STAC API."
    if exposed:
        yield OPEN.format(host=settings.host)


def accounts(catalogues: Sequence["Upstream | OwnAccounts"]) -> Iterator[str]:
    """Say what is to be done about accounts, where they are not as they should be."""
    for catalogue in catalogues:
        for remark in catalogue.remarks():
            if not remark.good:
                yield ACCOUNT.format(id=catalogue.id, said=remark.said)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
