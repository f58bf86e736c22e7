"""The options of a STAC search, shared by the commands that search."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce, wraps
from pathlib import Path
from typing import Any

import click
import orjson

from stacbridge.model import Json


class Numbers(click.ParamType[list[float]]):
    """A bounding box: 4 or 6 numbers with commas between."""

    name = "w,s,e,n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        """Read the numbers."""
        try:
            numbers = [float(part) for part in str(value).split(",")]
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas between.", param, ctx)
        if len(numbers) not in (4, 6):
            self.fail(f"{value!r} has {len(numbers)} numbers, not 4 or 6.", param, ctx)
        return numbers


class Geometry(click.ParamType[Json]):
    """A GeoJSON geometry, or a Feature that has one: JSON text, or the name of a file."""

    name = "geojson"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Json:
        """Read the geometry."""
        text = str(value)
        try:
            found = orjson.loads(text if text.lstrip().startswith("{") else Path(text).read_bytes())
        except OSError as error:
            self.fail(f"{text!r} cannot be read: {error.strerror}.", param, ctx)
        except orjson.JSONDecodeError as error:
            self.fail(f"This is not JSON: {error}.", param, ctx)
        return self._geometry(found, param, ctx)

    def _geometry(self, found: Any, param: click.Parameter | None, ctx: click.Context | None) -> Json:
        kind = found.get("type") if isinstance(found, dict) else None
        if kind == "FeatureCollection":
            features = found.get("features")
            if not isinstance(features, list) or len(features) != 1:
                self.fail(_many(features), param, ctx)
            (found,) = features
        whole = isinstance(found, dict) and kind in ("Feature", "FeatureCollection")
        geometry: Json | None = found.get("geometry") if whole else found
        if not isinstance(geometry, dict) or not {"coordinates", "geometries"} & geometry.keys():
            self.fail("It is not a GeoJSON geometry.", param, ctx)
        return geometry


def _many(features: Any) -> str:
    number = f"{len(features)}" if isinstance(features, list) else "no"
    return f"It holds {number} features; give one geometry."


class Listed(click.ParamType[list[str]]):
    """Words with commas between."""

    name = "a,b,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Read the words."""
        return [word for word in str(value).split(",") if word]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What to search; all as STAC API Item Search says, and `max_items` for all pages together."""

    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    bbox: list[float] | None = None
    intersects: Json | None = None
    datetime: str | None = None
    filter: str | None = None
    sortby: list[str] | None = None
    limit: int | None = None
    max_items: int = 100

    @property
    def is_empty(self) -> bool:
        """Whether nothing narrows the search."""
        narrowing = (self.collections, self.ids, self.bbox, self.intersects, self.datetime, self.filter)
        return not any(narrowing)


OPTIONS = (
    click.option(
        "--collection", "-c", "collections", multiple=True, help="Collection to search; repeatable."
    ),
    click.option("--ids", "id_lists", type=Listed(), multiple=True, help="Item ids; repeatable."),
    click.option("--bbox", type=Numbers(), help="West, south, east, north in degrees."),
    click.option("--intersects", type=Geometry(), help="GeoJSON geometry or Feature: text or a file."),
    click.option(
        "--datetime", help="Time or span, such as 2024-06, 2024-06-01/2024-06-15 or 2024-06-01/.. ."
    ),
    click.option("--filter", help="CQL2 text or JSON, such as 'eo:cloud_cover < 20'."),
    click.option("--sortby", type=Listed(), help="Properties to sort by, such as -datetime."),
    click.option("--limit", type=click.IntRange(min=1), help="Items on a page that is asked for."),
    click.option(
        "--max-items",
        type=click.IntRange(min=1),
        default=100,
        show_default=True,
        help="Items at most, over all pages.",
    ),
)
NAMES = ("collections", "bbox", "intersects", "datetime", "filter", "sortby", "limit", "max_items")


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a search, handed over as one `SearchOptions` named `options`."""

    @wraps(command)
    def collected(**given: Any) -> Any:
        ids = tuple(word for words in given.pop("id_lists") for word in words)
        options = SearchOptions(ids=ids, **{name: given.pop(name) for name in NAMES})
        return command(options=options, **given)

    return reduce(lambda wrapped, option: option(wrapped), reversed(OPTIONS), collected)
