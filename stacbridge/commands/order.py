"""`stacbridge order`: order items whose bytes are offline, and wait for them."""

import time

import click

from stacbridge.commands.options import SearchOptions, search_options
from stacbridge.commands.ordering import OPEN, Bridge, bridge, summary, watch
from stacbridge.commands.target import Target, target_options
from stacbridge.commands.terminal import remark
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json

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

    Name ITEMs of a COLLECTION, or give the options of a search. Leave with ctrl-C whenever you like: orders
    are kept, and nothing is ordered twice.

    \b
    Example:
      stacbridge order sedas-sentinel-2 S2A_MSIL1C_20160712T110632_N0204_R137_T30UXC_20160712T110631
    """
    body = None if only_watch else _body(collection, items, options, webhook)
    with bridge(target) as asked:
        taken = None if body is None else asked.post("/orders", body)
        try:
            if taken is not None:
                _tell(taken["orders"])
            if not no_wait and (taken is None or taken["orders"]):
                _follow(asked, "/orders" if taken is None else _href(taken))
        except KeyboardInterrupt:
            remark(LEFT)
            raise


def _body(
    collection: str | None, items: tuple[str, ...], options: SearchOptions, webhook: str | None
) -> Json:
    told = {} if webhook is None else {"webhook": webhook}
    if collection is None:
        if options.is_empty:
            raise click.UsageError("Say what to order: COLLECTION ITEM..., or the options of a search.")
        return {"search": _search(options), **told}
    if not items:
        raise click.UsageError("Give COLLECTION and ITEM, or name the collection with --collection.")
    if not options.is_empty:
        raise click.UsageError("Give COLLECTION and ITEM, or the options of a search, not both.")
    return {"items": [{"collection": collection, "item": item} for item in items], **told}


def _search(options: SearchOptions) -> Json:
    members = {
        "collections": list(options.collections),
        "ids": list(options.ids),
        "bbox": options.bbox,
        "intersects": options.intersects,
        "datetime": options.datetime,
        "filter": options.filter,
        "filter-lang": "cql2-text" if options.filter else None,
    }
    return {name: value for name, value in members.items() if value}


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
