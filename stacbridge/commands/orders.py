"""`stacbridge orders`: list, show and cancel orders."""

import sys

import click
import orjson

from stacbridge.commands.options import url_option
from stacbridge.commands.ordering import OPEN, bridge, table
from stacbridge.commands.terminal import remark, show


@click.group
def command() -> None:
    """List, show and cancel orders."""


@command.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that have not finished.")
@url_option
def list_orders(only_open: bool, url: str | None) -> None:
    """List your orders, the newest first."""
    with bridge(url) as asked:
        found = asked.orders()
    wanted = [order for order in found if not only_open or order["status"] in OPEN]
    if wanted:
        show(table(wanted))
    else:
        remark("There are no orders.")


@command.command("show")
@click.argument("id")
@url_option
def show_order(id: str, url: str | None) -> None:
    """Print all that is known of an order, as JSON."""
    with bridge(url) as asked:
        found = asked.get(f"/orders/{id}")
    sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")


@command.command("cancel")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@url_option
def cancel_orders(ids: tuple[str, ...], url: str | None) -> None:
    """Cancel orders. What an archive has taken, goes on there; others who want it still get it."""
    with bridge(url) as asked:
        for id in ids:
            found = asked.post(f"/orders/{id}/cancel")
            remark(f"{id}: {found['status']}")
