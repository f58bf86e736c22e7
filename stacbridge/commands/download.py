"""`stacbridge download`: fetch the files of items."""

from dataclasses import replace
from pathlib import Path

import click
import requests

from stacbridge.commands.client import api
from stacbridge.commands.options import SearchOptions, search_options
from stacbridge.commands.plan import Plan, plan
from stacbridge.commands.pool import each
from stacbridge.commands.progress import Bars
from stacbridge.commands.results import find
from stacbridge.commands.search import remarks
from stacbridge.commands.sizes import sizes
from stacbridge.commands.target import Target, target_options
from stacbridge.commands.terminal import in_words, remark, size
from stacbridge.commands.transfer import Fetcher, Transfer
from stacbridge.errors import NotFound, StacbridgeError

LARGE = 1_000_000_000


@click.command
@click.argument("collection", required=False)
@click.argument("item", required=False)
@click.option("--asset", "keys", multiple=True, metavar="KEY", help="Asset to fetch; repeatable.")
@click.option(
    "--output",
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder of the files; the current one unless given.",
)
@click.option("--jobs", type=click.IntRange(min=1), default=4, show_default=True, help="Files at once.")
@click.option(
    "--retries", type=click.IntRange(min=0), default=5, show_default=True, help="Fruitless attempts in a row."
)
@click.option(
    "--longest-wait",
    type=click.IntRange(min=0),
    default=900,
    show_default=True,
    help="Seconds to wait for a busy server.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask before more than 1 GB.")
@search_options
@target_options
def command(
    collection: str | None,
    item: str | None,
    keys: tuple[str, ...],
    folder: Path,
    jobs: int,
    retries: int,
    longest_wait: int,
    yes: bool,
    options: SearchOptions,
    target: Target,
) -> None:
    """Download an item, or all that a search finds.

    Name one ITEM of a COLLECTION, or give the options of a search. Without --asset the whole product of each
    item is fetched. Files that are there already are kept. Run it again after an interruption, and it goes on
    where it stopped, where the server can.

    \b
    Example:
      stacbridge download sentinel-2-l2a S2B_MSIL2A_20240601T101559_N0510_R065_T32TPT_20240601T140432
    """
    wanted = _wanted(collection, item, options)
    with api(target) as client, requests.Session() as session:
        results = find(client, wanted)
        if item and not results.items:
            raise NotFound(f"Collection {collection} has no item {item}.")
        todo = plan(results.items, keys, folder)
        target.open(session, str(client.self_href))
        known = sizes(session, todo.transfers, jobs)
        announce(todo, known, remarks(results, wanted))
        if sum(known.values()) > LARGE and not yes:
            click.confirm("Download?", abort=True, err=True)
        try:
            todo.failures |= run(todo.transfers, known, Fetcher(session, retries, longest_wait), jobs)
        except KeyboardInterrupt:
            remark("Interrupted. The same command goes on where this one stopped.")
            raise
    if todo.failures:
        raise StacbridgeError(f"{len(todo.failures)} could not be downloaded:{_listed(todo.failures)}")


def announce(todo: Plan, known: dict[Path, int], further: list[str]) -> None:
    """Say what will be fetched, and how much that is."""
    for line in further:
        remark(line)
    for path in todo.complete:
        remark(f"{path} is there already.")
    unknown = len(todo.transfers) - len(known)
    more = f", and {unknown} of unknown size" if unknown else ""
    remark(
        f"To download: {len(known)} file{'' if len(known) == 1 else 's'}, {size(sum(known.values()))}{more}."
    )


def run(
    todo: list[Transfer], known: dict[Path, int], fetcher: Fetcher, jobs: int
) -> dict[str, StacbridgeError]:
    """Fetch files, and return those that failed."""
    failures = {}
    with Bars(sum(known.values()) or None) as bars:

        def fetch(transfer: Transfer) -> str | None:
            bar = bars.file(transfer)
            try:
                return fetcher.fetch(transfer, bar)
            finally:
                bar.finish()

        for transfer, outcome in each(fetch, todo, jobs):
            if isinstance(outcome, StacbridgeError):
                failures[str(transfer.path)] = outcome
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                remark(f"{transfer.path} {outcome or 'done'}")
    return failures


def _wanted(collection: str | None, item: str | None, options: SearchOptions) -> SearchOptions:
    if collection is None:
        if options.is_empty:
            raise click.UsageError("Say what to download: COLLECTION ITEM, or the options of a search.")
        return options
    if item is None:
        raise click.UsageError("Give COLLECTION and ITEM, or name the collection with --collection.")
    if not options.is_empty:
        raise click.UsageError("Give COLLECTION and ITEM, or the options of a search, not both.")
    return replace(options, collections=(collection,), ids=(item,))


def _listed(failures: dict[str, StacbridgeError]) -> str:
    return "".join(f"\n{name}: {in_words(error)}" for name, error in failures.items())
