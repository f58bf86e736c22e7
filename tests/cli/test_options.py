from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from stacbridge.commands.options import SearchOptions, search_options

POINT = {"type": "Point", "coordinates": [11.5, 46.5]}
FEATURE = {"type": "Feature", "geometry": POINT, "properties": {}}


def read(*arguments: str) -> tuple[Result, SearchOptions | None]:
    seen = []

    @click.command
    @search_options
    def command(options: SearchOptions) -> None:
        seen.append(options)

    result = CliRunner().invoke(command, arguments)
    return result, seen[0] if seen else None


def accepted(*arguments: str) -> SearchOptions:
    result, options = read(*arguments)
    assert options is not None, result.output
    return options


def refused(*arguments: str) -> str:
    result, options = read(*arguments)
    assert (result.exit_code, options) == (2, None)
    return result.output


def test_without_options_nothing_narrows_the_search() -> None:
    assert accepted() == SearchOptions()
    assert SearchOptions().is_empty


def test_collections_and_ids_repeat_and_ids_may_be_listed() -> None:
    options = accepted("-c", "a", "--collection", "b", "--ids", "x,y", "--ids", "z")
    assert (options.collections, options.ids) == (("a", "b"), ("x", "y", "z"))


@pytest.mark.parametrize("text", ["-10,-5.5,10,5.5", "-10,-5.5,0,10,5.5,100"])
def test_a_bbox_has_four_or_six_numbers_and_may_start_with_a_minus(text: str) -> None:
    assert accepted("--bbox", text).bbox == [float(number) for number in text.split(",")]


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "west,2,3,4", ""])
def test_another_bbox_is_refused_with_what_is_wrong(text: str) -> None:
    assert "Invalid value for '--bbox'" in refused("--bbox", text)


@pytest.mark.parametrize(
    "document",
    [POINT, FEATURE, {"type": "FeatureCollection", "features": [FEATURE]}],
    ids=lambda d: d["type"],
)
def test_intersects_is_a_geometry_or_a_feature_in_text_or_a_file(document: object, tmp_path: Path) -> None:
    text = orjson.dumps(document).decode()
    (tmp_path / "place.geojson").write_text(text)
    assert accepted("--intersects", text).intersects == POINT
    assert accepted("--intersects", str(tmp_path / "place.geojson")).intersects == POINT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nowhere.geojson", "cannot be read: No such file"),
        ("{not json", "not JSON"),
        ('{"type": "Point"}', "not a GeoJSON geometry"),
        ('{"type": "FeatureCollection", "features": []}', "holds 0 features"),
        ('{"type": "FeatureCollection", "features": 7}', "holds no features"),
        ('{"type": "FeatureCollection", "features": [7]}', "not a GeoJSON geometry"),
        ('{"type": "FeatureCollection", "features": [[{}]]}', "not a GeoJSON geometry"),
        ('{"type": "Feature", "geometry": null}', "not a GeoJSON geometry"),
    ],
)
def test_another_intersects_is_refused_with_what_is_wrong(text: str, reason: str) -> None:
    assert reason in " ".join(refused("--intersects", text).split())


def test_sort_keys_may_start_with_a_minus() -> None:
    assert accepted("--sortby", "-datetime,id").sortby == ["-datetime", "id"]


def test_at_most_a_hundred_items_unless_asked() -> None:
    assert accepted("-c", "a").max_items == 100
    assert "--max-items" in refused("--max-items", "0")
