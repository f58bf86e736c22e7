"""The items that a search finds, over all its pages."""

from dataclasses import dataclass, field
from typing import Any
from warnings import catch_warnings

import orjson
from pystac_client import Client, ItemSearch

from stacbridge.commands.client import told
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.options import SearchOptions
from stacbridge.cql.parse import parse_json, parse_text
from stacbridge.errors import BadRequest, StacbridgeError
from stacbridge.model import Json

PAGE = 100
SKIPPED = "stacbridge:skipped"


@dataclass(slots=True)
class Results:
    """Items as plain dicts, whether there are more, and why how many records became none."""

    items: list[Json] = field(default_factory=list)
    more: bool = False
    skipped: dict[str, int] = field(default_factory=dict)


def find(client: Client, options: SearchOptions, condition: Json | None = None, **further: Any) -> Results:
    """Search page by page until `options.max_items`; with a `condition` (CQL2), what meets that, too.

    One item more than that is asked for, because it tells whether there are more.
    """
    limit = options.limit or min(options.max_items + 1, PAGE)
    search = prepare(client, options, condition, limit=limit, **further)
    results = Results()
    with told(str(search.url)):
        for page in search.pages_as_dicts():
            results.items += page["features"]
            for reason, count in page.get(SKIPPED, {}).get("reasons", {}).items():
                results.skipped[reason] = results.skipped.get(reason, 0) + count
            if len(results.items) > options.max_items:
                break
    results.more = len(results.items) > options.max_items
    del results.items[options.max_items :]
    return results


def count(client: Client, options: SearchOptions) -> int:
    """Return the number of all matches. Raises `StacbridgeError` where the API does not know it."""
    search = prepare(client, options)
    # pystac-client warns where the number is missing; that is an error here, and is told below.
    with told(str(search.url)), catch_warnings(action="ignore"):
        matched = search.matched()
    if matched is None:
        raise StacbridgeError("The API does not say how many items match.", asked=str(search.url))
    return matched


def prepare(
    client: Client, options: SearchOptions, condition: Json | None = None, **further: Any
) -> ItemSearch:
    """Return the search that the options and a `condition` (CQL2) describe, not yet asked."""
    conditions = [each for each in (_cql2(options.filter), condition) if each is not None]
    try:
        return client.search(
            collections=list(options.collections) or None,
            ids=options.ids or None,
            bbox=options.bbox,
            intersects=options.intersects,
            datetime=options.datetime,
            filter={"op": "and", "args": conditions} if len(conditions) > 1 else next(iter(conditions), None),
            sortby=options.sortby,
            **further,
        )
    except Exception as error:
        # pystac-client raises plain Exception for words it cannot read.
        raise BadRequest(f"The search cannot be asked: {error}.") from error


def _cql2(text: str | None) -> Json | None:
    """Return CQL2 text or JSON as JSON, parsed within the settings' bounds."""
    if text is None:
        return None
    settings = load_settings()
    if not text.lstrip().startswith("{"):
        return parse_text(text, settings)
    try:
        return parse_json(orjson.loads(text), settings)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The filter is not JSON: {error}.", parameter="filter") from error


def item_collection(results: Results) -> bytes:
    """Return the items as GeoJSON, with what is missing from them."""
    collection: Json = {"type": "FeatureCollection", "features": results.items}
    if results.skipped:
        collection[SKIPPED] = {"count": sum(results.skipped.values()), "reasons": results.skipped}
    return orjson.dumps(collection, option=orjson.OPT_INDENT_2)
