"""`stacbridge check`: a self-test of the configured catalogues."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime

import click

from stacbridge.commands import check_storage
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.findings import Finding, attempt
from stacbridge.commands.terminal import in_words
from stacbridge.errors import Misconfigured, StacbridgeError
from stacbridge.federation import Federation
from stacbridge.loading import load
from stacbridge.mapping.mapping import Mapping
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Query, Reply, Request
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts

# One-time codes and signatures hold for about this long.
MAX_SKEW = 30
MARKS = {True: "ok  ", False: "BAD ", None: "--  "}


@click.command
@click.argument("catalogues", nargs=-1)
def command(catalogues: tuple[str, ...]) -> None:
    """Test the configured catalogues, and say what to fix.

    All, or the CATALOGUES that are named: are they reached, do they answer, is the clock right, does the
    account log in, is its S3 key taken? Without names also: is a collection left out, as another catalogue
    has its id, and does the bucket of the spool work? Exits with 1 where something is wrong. No account is
    not wrong: search works without.
    """
    settings = load_settings()
    unknown = [name for name in catalogues if name not in settings.catalogues]
    if unknown:
        known = ", ".join(settings.catalogues)
        raise Misconfigured(f"No catalogue {unknown[0]!r} is configured.", advice=f"There is: {known}.")
    bad = 0
    for subject, finding in _all(catalogues, settings):
        click.echo(f"{MARKS[finding.good]} {subject}  {finding.subject:9}  {finding.said}")
        bad += finding.good is False
    if bad:
        raise click.exceptions.Exit(1)


def _all(catalogues: tuple[str, ...], settings: Settings) -> Iterator[tuple[str, Finding]]:
    for catalogue in catalogues or settings.catalogues:
        for finding in examine(catalogue, settings):
            yield catalogue, finding
    if not catalogues and len(settings.catalogues) > 1:
        yield from _left_out(settings)
    if settings.spool_bucket is not None and not catalogues:
        yield "spool", check_storage.bucket(settings.spool_bucket, settings)


def examine(catalogue: str, settings: Settings, wall: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Test a catalogue, with the clock `wall` (Unix time)."""
    try:
        mapping, upstream = load_mapping(catalogue, settings), load(catalogue, settings)
    except Misconfigured as error:
        yield Finding("settings", False, in_words(error))
        return
    try:
        yield from _reached(mapping, settings, wall)
        yield attempt("search", lambda: _search(upstream))
        remarks = upstream.remarks()
        for remark in remarks:
            yield Finding("account", remark.good, remark.said)
        if any(remark.good is not None for remark in remarks):
            yield attempt("login", lambda: _login(upstream))
        if (key := check_storage.key(mapping, settings)) is not None:
            yield key
    finally:
        upstream.close()


def _left_out(settings: Settings) -> Iterator[tuple[str, Finding]]:
    """Tell which Collections a bridge leaves out, as far as catalogues list them now."""
    served = list(_loaded(settings))
    try:
        federation = Federation(served, settings)
    except Misconfigured as error:
        yield "all", Finding("listing", False, in_words(error))
    else:
        for id, remark in federation.told().remarks().items():
            yield id, Finding("listing", None, remark)
        federation.close()
    finally:
        for upstream in served:
            upstream.close()


def _loaded(settings: Settings) -> Iterator[Upstream]:
    for id in settings.catalogues:
        with suppress(Misconfigured):  # that was told already
            yield load(id, settings)


def skew(reply: Reply, now: float) -> Finding:
    """Compare this machine's clock with the upstream's, in whole seconds."""
    try:
        ahead = round(now - parsedate_to_datetime(reply.headers["date"]).timestamp())
    except (KeyError, ValueError):
        return Finding("clock", None, "The upstream does not tell its time.")
    said = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the upstream's."
    if abs(ahead) > MAX_SKEW:
        return Finding("clock", False, f"{said} Set this machine's clock; logins with one-time codes fail.")
    return Finding("clock", True, said)


def _reached(mapping: Mapping, settings: Settings, wall: Callable[[], float]) -> Iterator[Finding]:
    """Ask the catalogue's root; any answer at all means that it is reached."""
    url = mapping.endpoints.get("catalogue") or next(iter(mapping.endpoints.values()))
    wire = Wire(mapping.id, settings, Hosts.listed((), mapping.endpoints.values()))
    try:
        reply = wire.exchange(Request("GET", url))
    except StacbridgeError as error:
        yield Finding("reachable", False, in_words(error))
    else:
        yield Finding("reachable", True, url)
        yield skew(reply, wall())
    finally:
        wire.close()


def _search(upstream: Upstream) -> str:
    items = upstream.search(Query(limit=1), "http://check").items
    return f"Its newest item is {items[0]['id']}." if items else "It answers, but holds no item."


def _login(upstream: Upstream) -> str:
    upstream.log_in()
    return "The upstream takes the account."
