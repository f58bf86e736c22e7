"""`stacbridge login`: sign a person in at a catalogue, and keep what opens it."""

import webbrowser
from collections.abc import Callable
from threading import Thread

import click
from pydantic import SecretStr

from stacbridge.access import registry
from stacbridge.access.flows import drive
from stacbridge.access.terms import Terms
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.redirect import Landing
from stacbridge.commands.terminal import remark
from stacbridge.errors import Misconfigured, UpstreamTimeout
from stacbridge.loading import load
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.settings import Credentials, Settings
from stacbridge.vault import open_vault
from stacbridge.wire.client import Wire

WAYS = ("password", "token", "browser")
PATIENCE = 300
"""Seconds that a person has to sign in with the browser."""


@click.command
@click.argument("catalogue")
@click.option("--with", "way", type=click.Choice(WAYS), help="How to sign in, where there are several ways.")
@click.option("--no-browser", is_flag=True, help="Only print the address to open, on whatever machine.")
@click.option("--totp", is_flag=True, help="Ask for the secret of one-time codes, too.")
@click.option("--client-id", help="The OAuth client to use, where the catalogue names none.")
@click.option("--client-secret", is_flag=True, help="Ask for the secret of the OAuth client, too.")
def command(
    catalogue: str, way: str | None, no_browser: bool, totp: bool, client_id: str | None, client_secret: bool
) -> None:
    """Sign in at CATALOGUE and keep the account for the bridge.

    Asks for user name and password, or for a token that you fetched at the upstream's page, or opens a
    browser. What is kept is in the system's keyring, or in an encrypted file; never in the configuration.
    """
    settings = load_settings()
    mapping = load_mapping(catalogue, settings)
    given = settings.credentials.get(catalogue, Credentials())
    if client_id:
        given = given.model_copy(update={"client_id": client_id})
    if client_secret:
        given = given.model_copy(update={"client_secret": _asked("Secret of the OAuth client")})
    terms = registry.parse(mapping.id, mapping.access, mapping.endpoints, given)
    ask = _ways(terms, catalogue, way)
    if ask == "browser":
        account = given.model_copy(update={"refresh_token": _browsed(mapping, terms, settings, no_browser)})
    else:
        account = given.model_copy(update=PROMPTS[ask](terms))
        if totp:
            account = account.model_copy(update={"totp_secret": _asked("Secret of one-time codes")})
        _try(catalogue, settings, account)
    vault = open_vault(settings)
    vault.write(catalogue, account)
    remark(f"Signed in at {mapping.title}. The account is kept in {vault.name}.")
    if given.username or given.refresh_token:
        remark("The settings name an account, too, and it goes before the kept one.")


def _ways(terms: Terms, catalogue: str, way: str | None) -> str:
    if terms.login is None:
        raise Misconfigured(f"{catalogue} needs no account.")
    if way is not None and way not in terms.ways:
        raise Misconfigured(
            f"{catalogue} does not know this way.", advice=f"There is: {', '.join(terms.ways)}."
        )
    return way or terms.ways[0]


def _password(terms: Terms) -> dict[str, object]:
    return {"username": click.prompt("User name", err=True), "password": _asked("Password")}


def _token(terms: Terms) -> dict[str, object]:
    if terms.token_page:
        remark(f"Fetch a token at {terms.token_page}.")
    return {"refresh_token": _asked("Token", lambda text: "".join(text.split()))}


PROMPTS: dict[str, Callable[[Terms], dict[str, object]]] = {"password": _password, "token": _token}


def _asked(what: str, clean: Callable[[str], str] = str.strip) -> SecretStr:
    """Ask for a secret without showing it."""
    return SecretStr(clean(click.prompt(what, hide_input=True, err=True)))


def _try(catalogue: str, settings: Settings, account: Credentials) -> None:
    """Log in with an account before it is kept."""
    upstream = load(catalogue, settings.model_copy(update={"credentials": {catalogue: account}}))
    try:
        upstream.log_in()
    finally:
        upstream.close()


def _browsed(mapping: Mapping, terms: Terms, settings: Settings, no_browser: bool) -> SecretStr:
    """Sign in with a browser and return the refresh token."""
    assert terms.browser is not None
    with Landing() as landing:
        attempt = terms.browser.start(landing.url)
        landing.expected = attempt.is_answered_by
        remark(f"Sign in at {attempt.url}")
        if not no_browser:
            # Some browsers are waited for until they are closed, which wait themselves for an answer here.
            Thread(target=webbrowser.open, args=(attempt.url,), daemon=True).start()
        answer = landing.wait(PATIENCE)
    if answer is None:
        raise UpstreamTimeout(f"Nobody signed in within {PATIENCE} seconds.", advice="Try again.")
    wire = Wire(mapping.id, settings, terms.hosts)
    try:
        return SecretStr(str(drive(attempt.obtain(answer), wire.exchange).refresh))
    finally:
        wire.close()
