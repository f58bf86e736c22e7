"""`stacbridge order`: order items whose bytes are offline, and wait for them."""

import time

import click

from stacbridge.commands.options import SearchOptions, search_options
from stacbridge.commands.ordering import OPEN, Bridge, bridge, summary, watch
from stacbridge.commands.results import find
from stacbridge.commands.search import remarks
from stacbridge.commands.target import Target, target_options
from stacbridge.commands.terminal import remark
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json

OFFLINE: Json = {"op": "<>", "args": [{"property": "order:status"}, "succeeded"]}
"""What items meet that say that their bytes are not at hand (CQL2); those that say nothing do not."""
LEFT = "The orders stand, and go on while a bridge runs. Join them again: stacbridge order --watch"


@click.command
@click.argument("collection", required=False)
@click.argument("items", metavar="[ITEM]...", nargs=-1)
@click.option("--watch", "only_watch", is_flag=True, help="Order nothing; follow what was ordered before.")
@click.option("--no-wait", is_flag=True, help="Order, and do not wait.")
@click.option("--webhook", help="https URL that the bridge calls when an order has finished.")
@search_options
@target_options
def command(
    collection: str | None,
    items: tuple[str, ...],
    only_watch: bool,
    no_wait: bool,
    webhook: str | None,
    options: SearchOptions,
    target: Target,
) -> None:
    """Order items that are offline, and wait until they can be downloaded.

    Name ITEMs of a COLLECTION, or give the options of a search, of which those items are ordered that say
    that they are offline. Leave with ctrl-C whenever you like: orders are kept, and nothing is ordered twice.

    \b
    Example:
      stacbridge order sedas-sentinel-2 S2A_MSIL1C_20160712T110632_N0204_R137_T30UXC_20160712T110631
    """
    if not only_watch:
        _check(collection, items, options)
    with bridge(target) as asked:
        taken = None if only_watch else _place(asked, _chosen(asked, collection, items, options), webhook)
        try:
            if taken is not None:
                _tell(taken["orders"])
            if not no_wait and (taken is None or taken["orders"]):
                _follow(asked, "/orders" if taken is None else _href(taken))
        except KeyboardInterrupt:
            remark(LEFT)
            raise


def _check(collection: str | None, items: tuple[str, ...], options: SearchOptions) -> None:
    """Refuse what says in no way, or in two, what to order."""
    if collection is None and options.is_empty:
        raise click.UsageError("Say what to order: COLLECTION ITEM..., or the options of a search.")
    if collection is not None and not items:
        raise click.UsageError("Give COLLECTION and ITEM, or name the collection with --collection.")
    if collection is not None and not options.is_empty:
        raise click.UsageError("Give COLLECTION and ITEM, or the options of a search, not both.")


def _chosen(
    asked: Bridge, collection: str | None, items: tuple[str, ...], options: SearchOptions
) -> list[Json]:
    """Return the items that are named, else those that the search finds and that are offline."""
    if collection is not None:
        return [{"collection": collection, "item": item} for item in items]
    results = find(asked.client, options, OFFLINE)
    for line in remarks(results, options) if results.items else ():
        remark(line)
    return [{"collection": item["collection"], "item": item["id"]} for item in results.items]


def _place(asked: Bridge, items: list[Json], webhook: str | None) -> Json:
    """Order items, if there are any, and return the batch of their orders."""
    told = {} if webhook is None else {"webhook": webhook}
    return asked.post("/orders", {"items": items, **told}) if items else {"orders": []}


def _tell(orders: list[Json]) -> None:
    number = len(orders)
    remark(f"{number} order{'' if number == 1 else 's'}: {summary(orders) or 'nothing is offline'}.")


def _href(taken: Json) -> str:
    """Return the URL of the batch that was taken."""
    return next(str(link["href"]) for link in taken["links"] if link["rel"] == "self")


def _follow(asked: Bridge, path: str) -> None:
    found = watch(lambda: _watched(asked, path), time.sleep)
    remark(f"Done: {summary(found) or 'nothing was ordered'}.")
    failed = [order for order in found if order["status"] == "failed"]
    if failed:
        reasons = "".join(f"\n{order['item']}: {order.get('reason', '')}" for order in failed)
        raise StacbridgeError(f"{len(failed)} failed:{reasons}")


def _watched(asked: Bridge, path: str) -> list[Json]:
    """Return the orders of a batch; of all orders, those that are open."""
    found = asked.orders(path)
    return found if path != "/orders" else [order for order in found if order["status"] in OPEN]
