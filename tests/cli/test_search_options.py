"""The options of a search, in every command that shows them."""

import json

import click
import pytest
from click.testing import CliRunner

from stacbridge.cli import COMMANDS, main
from stacbridge.commands.options import OPTIONS
from stacbridge.model import Json
from tests.servers import Answer, Seen, Server, serving

GIVEN = {
    "collections": "--collection=grd",
    "id_lists": "--ids=S1A_1",
    "bbox": "--bbox=10,45,12,47",
    "intersects": '--intersects={"type": "Point", "coordinates": [11, 46]}',
    "datetime": "--datetime=2024-06",
    "filter": "--filter=eo:cloud_cover < 20",
    "sortby": "--sortby=+datetime",
    "limit": "--limit=7",
    "max_items": "--max-items=1",
}
"""Each option, with a value that it does not have by itself."""
NARROWED = ("--collection", "slc")
"""What is searched besides, since some commands refuse to search for everything."""
CONFORMS = ["core", "item-search", "item-search#filter", "item-search#sort", "ogcapi-features#features"]


def searching() -> list[str]:
    """Names of the commands that show any option of a search."""
    return [name for name in COMMANDS if GIVEN.keys() & {option.name for option in _options(name)}]


def _options(name: str) -> list[click.Parameter]:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command.params


def api(seen: Seen) -> Answer:
    """A STAC API that finds two items, which are offline, and takes any order."""
    root = f"http://{seen.headers['host']}"
    items = [_item(number) for number in (1, 2)]
    orders = [{"item": item["id"], "status": "succeeded"} for item in items]
    batch = {"orders": orders, "links": [{"rel": "self", "href": f"{root}/orders"}]}
    documents = {
        "/search": {"type": "FeatureCollection", "features": items, "links": []},
        "/orders": batch,
    }
    return Answer(body=json.dumps(documents.get(seen.path.partition("?")[0], _landing(root))).encode())


def _landing(root: str) -> Json:
    return {
        "type": "Catalog",
        "stac_version": "1.1.0",
        "id": "toy",
        "description": "Toy.",
        "conformsTo": [f"https://api.stacspec.org/v1.0.0/{name}" for name in CONFORMS],
        "links": [
            {"rel": "self", "href": root},
            {"rel": "root", "href": root},
            {"rel": "search", "href": f"{root}/search", "type": "application/geo+json", "method": "POST"},
        ],
    }


def _item(number: int) -> Json:
    return {
        "id": f"S1A_{number}",
        "collection": "grd",
        "properties": {"datetime": "2024-06-01T00:00:00Z", "order:status": "orderable"},
        "assets": {"product": {"href": f"ftp://127.0.0.1/{number}.zip", "roles": ["archive"]}},
    }


def asked(server: Server, command: str, *arguments: str) -> list[tuple[str, str, bytes]]:
    """What a command asks of the API."""
    server.seen.clear()
    CliRunner().invoke(main, [command, *arguments, "--url", server.url], catch_exceptions=False)
    assert "/search" in {seen.path for seen in server.seen}
    return [(seen.method, seen.path, seen.body) for seen in server.seen]


@pytest.mark.parametrize("command", searching())
def test_every_option_of_a_search_has_an_effect_in_every_command_that_shows_it(
    command: str,
) -> None:
    assert len(GIVEN) == len(OPTIONS)
    with serving(api) as server:
        plain = asked(server, command, *NARROWED)
        deaf = [name for name, given in GIVEN.items() if asked(server, command, *NARROWED, given) == plain]
    assert deaf == []


def test_search_order_and_download_show_the_options_of_a_search() -> None:
    assert searching() == ["search", "order", "download"]
