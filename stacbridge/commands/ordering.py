"""Orders over the API of a bridge, for the commands that place and follow them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import requests
from pystac_client import Client
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from stacbridge.commands.client import api
from stacbridge.commands.replies import refusal
from stacbridge.commands.target import Target
from stacbridge.commands.terminal import plain
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json

TIMEOUT = (10, 300)
OPEN = ("ordered", "pending", "shipping")
LONGEST_PAUSE = 30.0
"""Seconds between two looks at orders that are watched."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """The API at `root`, asked for orders with `session` and for items with `client`."""

    root: str
    session: requests.Session
    client: Client

    def get(self, path: str) -> Json:
        """Return the document at a path, or at a whole URL below the API."""
        return self._asked("GET", path)

    def post(self, path: str, body: Json | None = None) -> Json:
        """Return the answer to a POST."""
        return self._asked("POST", path, data=None if body is None else orjson.dumps(body))

    def orders(self, path: str = "/orders") -> list[Json]:
        """Return all orders of a list, page by page."""
        found: list[Json] = []
        following: str | None = f"{path}?limit=1000"
        while following is not None:
            page = self.get(following)
            found += page["orders"]
            following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        return found

    def _asked(self, method: str, path: str, **more: Any) -> Json:
        url = path if path.startswith("http") else f"{self.root}{path}"
        try:
            reply = self.session.request(method, url, timeout=TIMEOUT, **more)
        except requests.RequestException as error:
            raise StacbridgeError("The bridge cannot be reached.", asked=url) from error
        if not reply.ok:
            raise refusal(reply.status_code, reply.content, url)
        try:
            answer: Json = orjson.loads(reply.content)
        except orjson.JSONDecodeError as error:
            raise StacbridgeError("This API takes no orders.", asked=url) from error
        return answer


@contextmanager
def bridge(target: Target) -> Iterator[Bridge]:
    """Open the bridge at a target; without a URL, a bridge that runs as long as the block lasts."""
    with api(target) as client, requests.Session() as session:
        root = str(client.self_href).rstrip("/")
        target.open(session, root)
        yield Bridge(root, session, client)


def watch(
    orders: Callable[[], list[Json]], pause: Callable[[float], None], console: Console | None = None
) -> list[Json]:
    """Show how orders go on until none is open, and return them. Raises `KeyboardInterrupt` when left."""
    shown = console or Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn())
    seconds = 1.0
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as progress:
        task = progress.add_task("orders", total=None)
        while True:
            found = orders()
            waiting = [order for order in found if order["status"] in OPEN]
            progress.update(
                task, total=len(found), completed=len(found) - len(waiting), description=summary(found)
            )
            if not waiting:
                return found
            pause(seconds)
            seconds = min(LONGEST_PAUSE, seconds * 1.5)


def summary(orders: list[Json]) -> str:
    """Say how many orders have each status, and when the next is taken where a quota is used up."""
    counts: dict[str, int] = {}
    for order in orders:
        counts[order["status"]] = counts.get(order["status"], 0) + 1
    releases = [order["release"] for order in orders if "release" in order and order["status"] in OPEN]
    until = f"; quota used up until {min(releases)[:16]}Z" if releases else ""
    return ", ".join(f"{number} {status}" for status, number in counts.items()) + until


def table(orders: list[Json]) -> Table:
    """Return orders as a table."""
    found = Table("id", "status", "collection", "item", "created", "remark", box=None, pad_edge=False)
    for column in found.columns[:4]:
        column.overflow = "fold"
    for order in orders:
        cells = (
            order["id"],
            order["status"],
            order["collection"],
            order["item"],
            order["created"][:16],
            order.get("reason") or "",
        )
        found.add_row(*(Text(plain(cell)) for cell in cells))
    return found
