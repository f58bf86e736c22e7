"""`stacbridge key`: who may use the bridge, by API keys."""

import click
from rich.table import Table

from stacbridge.callers.keys import Key, Keys
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.terminal import plain, remark, show


@click.group
def command() -> None:
    """Make, list and revoke API keys of a bridge with `access = "keys"`."""


@command.command
@click.argument("name")
def create(name: str) -> None:
    """Make a key for NAME, a person or a machine, and print it: only now can it be seen."""
    click.echo(_keys().create(name))
    remark('Send it as "Authorization: Bearer …", or as the password of Basic with any user name.')


@command.command(name="list")
def list_() -> None:
    """List keys, without what opens the bridge."""
    table = Table("id", "name", "created", "revoked", box=None, pad_edge=False)
    for key in _keys().all():
        table.add_row(key.id, plain(key.name), key.created, key.revoked or "")
    show(table)


@command.command
@click.argument("id")
def revoke(id: str) -> None:
    """Let the holder of ID in no more, from the next request on, with signed hrefs neither.

    ID is that of a key, or of a person whom the identity provider knows (`o…`, as their signed
    hrefs hold it).
    """
    key: Key = _keys().revoke(id)
    remark(f"{key.id} was revoked." if key.revoked is None else f"{key.id} was revoked already.")


def _keys() -> Keys:
    return Keys(load_settings().key_folder)
