import orjson
import pytest
from click.testing import CliRunner, Result

from stacbridge.cli import main
from stacbridge.commands.options import SearchOptions
from stacbridge.commands.results import Results, item_collection
from stacbridge.commands.search import remarks, row, table
from stacbridge.commands.terminal import show
from tests.cli.fileserver import FileServer, Served


def search(api: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["search", "--url", api, *arguments], catch_exceptions=False)


def found(api: str, *arguments: str) -> list[str]:
    result = search(api, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [item["id"] for item in orjson.loads(result.stdout)["features"]]


def test_a_search_prints_a_line_an_item_newest_first(api: str) -> None:
    lines = search(api).stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["id", "collection", "datetime", "cloud", "%", "size", "online"],
        ["S1A_5", "grd", "2024-06-05T00:00:00Z", "50", "1.0", "kB", "yes"],
        ["S1A_4", "grd", "2024-06-04T00:00:00Z", "40", "1.0", "kB", "yes"],
        ["S1A_3", "grd", "2024-06-03T00:00:00Z", "30", "1.0", "kB", "yes"],
        ["S1A_2", "grd", "2024-06-02T00:00:00Z", "20", "1.0", "kB", "yes"],
        ["S1A_1", "grd", "2024-06-01T00:00:00Z", "10", "1.0", "kB", "yes"],
    ]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--ids", "S1A_2,S1A_4"], ["S1A_4", "S1A_2"]),
        (["--bbox", "1.5,45,3.5,47"], ["S1A_3", "S1A_2"]),
        (["--intersects", '{"type": "Point", "coordinates": [3, 46]}'], ["S1A_3"]),
        (["--datetime", "2024-06-02/2024-06-03"], ["S1A_3", "S1A_2"]),
        (["--filter", "eo:cloud_cover < 20"], ["S1A_1"]),
        (["--filter", '{"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]}'], ["S1A_1"]),
        (["--sortby", "datetime"], ["S1A_1", "S1A_2", "S1A_3", "S1A_4", "S1A_5"]),
        (["--limit", "2"], ["S1A_5", "S1A_4", "S1A_3", "S1A_2", "S1A_1"]),
        (["-c", "none"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_each_option_is_the_search_parameter_of_its_name(
    api: str, arguments: list[str], ids: list[str]
) -> None:
    assert found(api, *arguments) == ids


def test_max_items_ends_the_search_and_says_that_there_are_more(api: str) -> None:
    result = search(api, "--json", "--max-items", "2")
    assert len(orjson.loads(result.stdout)["features"]) == 2
    assert "There are more items than the first 2 " in result.stderr


def test_exactly_max_items_are_not_said_to_be_more(api: str) -> None:
    assert search(api, "--json", "--max-items", "5").stderr == ""


def test_count_prints_the_number_of_all_matches(api: str) -> None:
    assert search(api, "--count").stdout == "5\n"
    assert search(api, "--count", "--bbox", "100,0,101,1").stdout == "0\n"


def test_fields_leave_members_out(api: str) -> None:
    (item,) = orjson.loads(search(api, "--json", "--max-items", "1", "--fields", "id,-links").stdout)[
        "features"
    ]
    assert "links" not in item


def test_no_match_is_said(api: str) -> None:
    assert search(api, "-c", "none").stderr == "No item matches.\n"


def test_what_a_catalogue_skipped_is_told_in_both_forms() -> None:
    results = Results(skipped={"no start time": 2})
    assert remarks(results, SearchOptions())[-1] == (
        "Records of the catalogue that could not become items: 2; no start time (2)."
    )
    assert orjson.loads(item_collection(results))["stacbridge:skipped"] == {
        "count": 2,
        "reasons": {"no start time": 2},
    }


def test_what_an_item_does_not_state_stays_empty() -> None:
    assert row({"id": "x", "properties": {}}) == ("x", "", "", "", "", "")


def test_an_id_is_shown_as_it_is_and_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show(table([{"id": "[red]\x1b[2J", "properties": {}}]))
    assert "[red]\ufffd[2J" in capsys.readouterr().out


def test_an_offline_item_is_not_online() -> None:
    assert row({"id": "x", "properties": {"order:status": "failed"}})[-1] == "no"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--filter", "eo:cloud_cover <"], "is not CQL2"),
        (["--filter", "{eo:cloud_cover}"], "The filter is not JSON"),
        (["--datetime", "yesterday"], "invalid datetime component: yesterday"),
        (["--sortby", "nonsense"], "nonsense"),
    ],
)
def test_a_search_that_cannot_be_is_explained_without_a_traceback(
    api: str, arguments: list[str], words: str
) -> None:
    result = search(api, *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_an_api_that_is_not_there_is_named() -> None:
    result = search("http://127.0.0.1:1", "-c", "x")
    assert result.exit_code == 1
    assert "The API cannot be reached" in result.stderr
    assert "http://127.0.0.1:1" in result.stderr


@pytest.mark.parametrize(
    "document",
    [b"<html>hello</html>", b'{"collections": []}', b'{"status": "ok"}', b"[]", b'["x"]', b"7"],
)
def test_a_server_that_is_no_stac_api_is_named(files: FileServer, document: bytes) -> None:
    result = search(files.serve("/", Served(document)), "-c", "x")
    assert (result.exit_code, "This is not a STAC API" in result.stderr) == (1, True)
