"""`stacbridge catalogues`: what the settings configure."""

import click
from rich.table import Table

from stacbridge.commands.configuration import load_settings
from stacbridge.commands.terminal import show
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.settings import Settings


@click.command
def command() -> None:
    """List the configured catalogues.

    Says the protocol, the number of collections that its files describe, and which account there is.
    """
    settings = load_settings()
    found = Table("id", "title", "protocol", "collections", "account", box=None, pad_edge=False)
    for catalogue in settings.catalogues:
        found.add_row(*row(catalogue, settings))
    show(found)


def row(catalogue: str, settings: Settings) -> tuple[str, ...]:
    """Return what the table says of a catalogue."""
    mapping = load_mapping(catalogue, settings)
    upstream = load(catalogue, settings)
    try:
        account = " ".join(remark.said for remark in upstream.remarks())
    finally:
        upstream.close()
    return mapping.id, mapping.title, mapping.dialect, str(len(mapping.collections)), account
