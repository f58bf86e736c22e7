"""`stacbridge orders`: list, show and cancel orders."""

import sys

import click
import orjson

from stacbridge.commands.ordering import OPEN, bridge, table
from stacbridge.commands.target import Target, target_options
from stacbridge.commands.terminal import remark, show


@click.group
def command() -> None:
    """List, show and cancel orders."""


@command.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those that have not finished.")
@target_options
def list_orders(only_open: bool, target: Target) -> None:
    """List your orders, the newest first."""
    with bridge(target) as asked:
        found = asked.orders()
    wanted = [order for order in found if not only_open or order["status"] in OPEN]
    if wanted:
        show(table(wanted))
    else:
        remark("There are no orders.")


@command.command("show")
@click.argument("id")
@target_options
def show_order(id: str, target: Target) -> None:
    """Print all that is known of an order, as JSON."""
    with bridge(target) as asked:
        found = asked.get(f"/orders/{id}")
    sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")


@command.command("cancel")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@target_options
def cancel_orders(ids: tuple[str, ...], target: Target) -> None:
    """Cancel orders. What an archive has taken, goes on there; others who want it still get it."""
    with bridge(target) as asked:
        for id in ids:
            found = asked.post(f"/orders/{id}/cancel")
            remark(f"{id}: {found['status']}")
