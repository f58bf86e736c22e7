import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stacbridge.cli import main
from stacbridge.commands.download import announce
from stacbridge.commands.plan import Plan, plan
from tests.cli.archive import ITEMS, archive, product
from tests.cli.fileserver import FileServer


def download(api: str, folder: Path, *arguments: str, answer: str = "") -> Result:
    command = ["download", "--url", api, "-o", str(folder), *arguments]
    return CliRunner().invoke(main, command, input=answer, catch_exceptions=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_item_is_downloaded_as_its_whole_product(api: str, tmp_path: Path) -> None:
    result = download(api, tmp_path, "grd", "S1A_3")
    assert result.exit_code == 0, result.stderr
    assert contents(tmp_path) == {"S1A_3.zip": product(3)}
    assert "To download: 1 file, 1.0 kB." in result.stderr


def test_a_search_downloads_all_that_it_finds(api: str, tmp_path: Path) -> None:
    assert download(api, tmp_path, "-c", "grd").exit_code == 0
    assert contents(tmp_path) == {f"S1A_{n}.zip": product(n) for n in range(1, ITEMS + 1)}


def test_named_assets_go_into_a_folder_of_their_item(api: str, tmp_path: Path) -> None:
    result = download(api, tmp_path, "grd", "S1A_3", "--asset", "vv")
    assert result.exit_code == 0, result.stderr
    assert contents(tmp_path) == {"S1A_3/S1A_3-vv.tiff": b"II*\x00vv"}


def test_a_size_that_the_item_does_not_state_is_asked_of_the_server(api: str, tmp_path: Path) -> None:
    assert "To download: 1 file, 6 bytes." in download(api, tmp_path, "grd", "S1A_3", "--asset", "vv").stderr


def test_a_size_that_nobody_states_is_said_to_be_unknown(files: FileServer, api: str, tmp_path: Path) -> None:
    files.files["/S1A_3-vv.tiff"].states_length = False
    result = download(api, tmp_path, "grd", "S1A_3", "--asset", "vv")
    assert "To download: 0 files, 0 bytes, and 1 of unknown size." in result.stderr
    assert result.exit_code == 0, result.stderr
    assert contents(tmp_path) == {"S1A_3/S1A_3-vv.tiff": b"II*\x00vv"}


def test_a_complete_file_is_kept_and_not_asked_for_again(api: str, files: FileServer, tmp_path: Path) -> None:
    download(api, tmp_path, "grd", "S1A_3")
    files.requests.clear()
    result = download(api, tmp_path, "grd", "S1A_3")
    assert "S1A_3.zip is there already" in result.stderr
    assert files.requests == []


def test_a_file_of_another_size_is_downloaded_again(api: str, tmp_path: Path) -> None:
    (tmp_path / "S1A_3.zip").write_bytes(b"half")
    assert download(api, tmp_path, "grd", "S1A_3").exit_code == 0
    assert contents(tmp_path) == {"S1A_3.zip": product(3)}


def test_a_corrupt_file_is_deleted_and_the_command_fails(api: str, files: FileServer, tmp_path: Path) -> None:
    files.files["/S1A_3.zip"].data = b"PK\x03\x04" + b"x" * (len(product(3)) - 4)
    result = download(api, tmp_path, "-c", "grd")
    assert result.exit_code == 1
    assert contents(tmp_path) == {f"S1A_{n}.zip": product(n) for n in range(1, ITEMS + 1) if n != 3}
    assert "1 could not be downloaded" in result.stderr
    assert re.search(r"S1A_3\.zip: The file's checksum", result.stderr)


def test_an_item_that_is_not_there_is_a_failure(api: str, tmp_path: Path) -> None:
    result = download(api, tmp_path, "grd", "S1A_9")
    assert (result.exit_code, "Collection grd has no item S1A_9" in result.stderr) == (1, True)


def test_an_asset_that_is_not_there_fails_for_that_item_and_names_the_others(
    api: str, tmp_path: Path
) -> None:
    result = download(api, tmp_path, "grd", "S1A_3", "--asset", "B02")
    assert (result.exit_code, "Product, vv" in result.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [[], ["grd"], ["grd", "S1A_1", "-c", "grd"]])
def test_what_to_download_must_be_said_once(api: str, tmp_path: Path, arguments: list[str]) -> None:
    assert download(api, tmp_path, *arguments).exit_code == 2


@pytest.mark.parametrize(("arguments", "fetched"), [([], False), (["--yes"], True)])
def test_more_than_a_gigabyte_is_downloaded_only_after_a_yes(
    files: FileServer, tmp_path: Path, arguments: list[str], fetched: bool
) -> None:
    with archive(files, stated_size=2_000_000_000) as api:
        result = download(api, tmp_path, "grd", "S1A_3", *arguments, answer="n\n")
    assert "To download: 1 file, 2.0 GB." in result.stderr
    assert ("Download? [y/N]" in result.stderr) is not fetched
    assert bool(files.requests) is fetched
    assert result.exit_code == 1


def test_two_files_of_one_name_are_not_written_over_each_other(tmp_path: Path) -> None:
    def item(id: str, host: str) -> dict[str, object]:
        return {"id": id, "assets": {"p": {"href": f"http://{host}/x.zip", "roles": ["archive"]}}}

    made = plan([item("a", "one"), item("b", "two"), item("c", "one")], (), tmp_path)
    assert [transfer.href for transfer in made.transfers] == ["http://one/x.zip"]
    assert list(made.failures) == ["b"]


def test_without_files_to_fetch_the_total_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    announce(Plan(), {}, [])
    assert capsys.readouterr().err == "To download: 0 files, 0 bytes.\n"
