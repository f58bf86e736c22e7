"""`stacbridge catalogues`: what the settings configure."""

import click
from rich.table import Table

from stacbridge.commands.configuration import account_settings, load_settings
from stacbridge.commands.terminal import show
from stacbridge.mapping.mapping import load
from stacbridge.settings import Settings


@click.command
def command() -> None:
    """List the configured catalogues.

    Says the protocol, the number of collections, and whether an account is set.
    """
    settings = load_settings()
    found = Table("id", "title", "protocol", "collections", "account", box=None, pad_edge=False)
    for catalogue in settings.catalogues:
        found.add_row(*row(catalogue, settings))
    show(found)


def row(catalogue: str, settings: Settings) -> tuple[str, ...]:
    """Return what the table says of a catalogue."""
    mapping = load(catalogue, settings)
    return (
        mapping.id,
        mapping.title,
        mapping.dialect,
        str(len(mapping.collections)),
        account(catalogue, settings),
    )


def account(catalogue: str, settings: Settings) -> str:
    """Say whether an account is set, by the names of settings and never their values."""
    given = settings.credentials.get(catalogue)
    members = {"username": given and given.username, "password": given and given.password}
    missing = [
        name for name, member in zip(account_settings(catalogue), members.values(), strict=True) if not member
    ]
    return f"not set: {', '.join(missing)}" if missing else "set"
