"""`stacbridge search`: find items."""

import sys

import click
from rich.table import Table
from rich.text import Text

from stacbridge.commands.client import api
from stacbridge.commands.options import Listed, SearchOptions, search_options
from stacbridge.commands.results import Results, count, find, item_collection
from stacbridge.commands.target import Target, target_options
from stacbridge.commands.terminal import plain, remark, show, size
from stacbridge.model import Json


@click.command
@search_options
@click.option("--fields", type=Listed(), help="Members to include or exclude, such as id,-links; for --json.")
@click.option("--json", "as_json", is_flag=True, help="Print a GeoJSON ItemCollection instead of a table.")
@click.option("--count", "only_count", is_flag=True, help="Print only how many items match.")
@target_options
def command(
    options: SearchOptions, fields: list[str] | None, as_json: bool, only_count: bool, target: Target
) -> None:
    """Search items, newest first.

    \b
    Example:
      stacbridge search -c sentinel-2-l2a --bbox 11,46,12,47 --filter 'eo:cloud_cover < 20'
    """
    with api(target) as client:
        if only_count:
            click.echo(count(client, options))
            return
        results = find(client, options, fields=fields)
    if as_json:
        sys.stdout.buffer.write(item_collection(results) + b"\n")
    else:
        show(table(results.items))
    for line in remarks(results, options):
        remark(line)


def table(items: list[Json]) -> Table:
    """Return items as a table."""
    found = Table("id", "collection", "datetime", "cloud %", "size", "online", box=None, pad_edge=False)
    found.columns[0].overflow = found.columns[1].overflow = "fold"
    for item in items:
        found.add_row(*(Text(plain(cell)) for cell in row(item)))
    return found


def row(item: Json) -> tuple[str, ...]:
    """Return what the table says of an item; what the item does not state stays empty."""
    properties: Json = item.get("properties") or {}
    cloud = properties.get("eo:cloud_cover")
    status = properties.get("order:status")
    return (
        item["id"],
        item.get("collection") or "",
        properties.get("datetime") or properties.get("start_datetime") or "",
        "" if cloud is None else f"{cloud:.0f}",
        size(product_size(item)),
        "" if status is None else "yes" if status == "succeeded" else "no",
    )


def product_size(item: Json) -> int | None:
    """Return the bytes of the whole product, where stated."""
    assets = (item.get("assets") or {}).values()
    sizes = [asset.get("file:size") for asset in assets if "archive" in asset.get("roles", ())]
    return sizes[0] if sizes else None


def remarks(results: Results, options: SearchOptions) -> list[str]:
    """Say what a person should know beside the items themselves."""
    lines = []
    if results.more:
        lines.append(f"There are more items than the first {options.max_items} (--max-items).")
    elif not results.items:
        lines.append("No item matches.")
    skipped = sum(results.skipped.values())
    if skipped:
        reasons = ", ".join(f"{reason} ({number})" for reason, number in results.skipped.items())
        lines.append(f"Records of the catalogue that could not become items: {skipped}; {reasons}.")
    return lines
