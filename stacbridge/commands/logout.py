"""`stacbridge logout`: end what `login` began."""

import click

from stacbridge.access import registry
from stacbridge.access.terms import Terms
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.terminal import in_words, remark
from stacbridge.errors import StacbridgeError
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.settings import Credentials, Settings
from stacbridge.vault import open_vault
from stacbridge.wire.client import Wire
from stacbridge.wire.refusals import refusal


@click.command
@click.argument("catalogue")
def command(catalogue: str) -> None:
    """Forget the account kept for CATALOGUE, and end its session there.

    Exits with 1 where the upstream could not be told; the account is forgotten all the same.
    """
    settings = load_settings()
    mapping = load_mapping(catalogue, settings)
    vault = open_vault(settings)
    account = vault.read(catalogue)
    if account is None:
        remark(f"No account is kept for {catalogue}.")
        return
    vault.forget(catalogue)
    remark(f"The account is no longer kept in {vault.name}.")
    try:
        _end(mapping, account, settings)
    except StacbridgeError as error:
        remark(f"Its session may go on until it ends by itself. {in_words(error)}")
        raise click.exceptions.Exit(1) from None


def _end(mapping: Mapping, account: Credentials, settings: Settings) -> None:
    """Tell the upstream to end the session of a refresh token, where it can be told."""
    terms: Terms = registry.parse(mapping.id, mapping.access, mapping.endpoints, account)
    if terms.end is None or account.refresh_token is None:
        return
    request = terms.end(account.refresh_token.get_secret_value())
    wire = Wire(mapping.id, settings, terms.hosts)
    try:
        reply = wire.exchange(request)
    finally:
        wire.close()
    if reply.status >= 300:
        raise refusal(mapping.id, request, reply)
    remark(f"Its session at {mapping.title} has ended.")
