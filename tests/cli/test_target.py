"""Commands that ask a bridge which wants an API key."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from stacbridge.app import create_app
from stacbridge.callers.keys import Keys
from stacbridge.cli import main
from stacbridge.commands.bridge import running
from stacbridge.commands.target import Bearer, Own, Target
from stacbridge.settings import Settings
from stacbridge.simulators.lta import LtaSimulator
from tests.cli.archive import archive, product
from tests.cli.fileserver import FileServer
from tests.orders import lta
from tests.servers import Answer, in_turn, serving


@pytest.fixture
def key(tmp_path: Path) -> str:
    return Keys(tmp_path / "keys").create("Ada")


@pytest.fixture
def api(files: FileServer, tmp_path: Path, key: str) -> Iterator[str]:
    guarded = Settings(access="keys", key_folder=tmp_path / "keys", protect_searches=True)
    with archive(files, settings=guarded) as url:
        yield url


def run(url: str, *arguments: str, key: str | None = None, typed: str = "", **further: str) -> Result:
    environment = {"STACBRIDGE_URL": url, "STACBRIDGE_KEY": key, **further}
    return CliRunner().invoke(main, arguments, env=environment, input=typed, catch_exceptions=False)


def file_of(folder: Path, text: str, mode: int = 0o600) -> str:
    file = folder / "key.txt"
    file.write_text(text)
    file.chmod(mode)
    return f"@{file}"


def test_without_a_key_a_closed_api_says_what_to_do(api: str) -> None:
    result = run(api, "search", "-c", "grd")
    assert result.exit_code == 1
    assert "STACBRIDGE_KEY" in result.stderr and "--key @FILE" in result.stderr


def test_a_key_is_taken_from_the_environment_a_file_standard_input_or_as_it_is(
    api: str, key: str, tmp_path: Path
) -> None:
    file = file_of(tmp_path, f"  {key}\n")
    given = {
        "environment": run(api, "search", "-c", "grd", key=key),
        "environment names a file": run(api, "search", "-c", "grd", key=file),
        "file": run(api, "search", "-c", "grd", "--key", file),
        "standard input": run(api, "search", "-c", "grd", "--key", "-", typed=f"{key}\n"),
        "as it is": run(api, "search", "-c", "grd", "--key", key),
    }
    assert {how: result.exit_code for how, result in given.items()} == dict.fromkeys(given, 0)
    assert all("S1A_3" in result.stdout for result in given.values())


def test_files_come_from_other_servers_without_the_key(
    api: str, key: str, files: FileServer, tmp_path: Path
) -> None:
    result = run(api, "download", "grd", "S1A_3", "-o", str(tmp_path / "out"), key=key)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "out" / "S1A_3.zip").read_bytes() == product(3)
    assert files.requests and all("Authorization" not in headers for _, headers in files.requests)


NO_WAY = {
    "HTTP_PROXY": "http://127.0.0.1:1",
    "NO_PROXY": "",
    "http_proxy": "http://127.0.0.1:1",
    "no_proxy": "",
}
"""An environment whose proxy reaches nobody."""


def netrc(folder: Path, line: str) -> str:
    file = folder / "netrc"
    file.write_text(f"{line}\n")
    file.chmod(0o600)
    return str(file)


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
def test_the_login_of_netrc_opens_an_api_on_this_machine_past_proxies(
    api: str, key: str, files: FileServer, tmp_path: Path, entry: str
) -> None:
    given = {"NETRC": netrc(tmp_path, f"{entry} login me password {key}"), **NO_WAY}
    assert "S1A_3" in run(api, "search", "-c", "grd", **given).stdout
    assert run(api, "orders", "list", **given).stderr == "There are no orders.\n"
    result = run(api, "download", "grd", "S1A_3", "-o", str(tmp_path / "out"), **given)
    assert result.exit_code == 0, result.stderr
    assert files.requests and all("Authorization" not in headers for _, headers in files.requests)


def test_a_key_goes_before_the_login_of_netrc(api: str, key: str, tmp_path: Path) -> None:
    given = netrc(tmp_path, "machine 127.0.0.1 login me password another")
    assert run(api, "search", "-c", "grd", NETRC=given).exit_code == 1
    assert run(api, "search", "-c", "grd", key=key, NETRC=given).exit_code == 0


def test_a_bridge_that_a_command_starts_for_itself_hears_no_login() -> None:
    with requests.Session() as session:
        Target(None, "canary-key").open(session, "http://127.0.0.1:8080")
        assert (session.auth, session.trust_env) == (None, False)


def test_items_are_ordered_and_downloaded_with_a_key(key: str, tmp_path: Path) -> None:
    with LtaSimulator(1000) as sim:
        sim.faults = type(sim.faults)(queue_seconds=0, staging_seconds=0)
        quick = {"order_poll": 0.05, "order_poll_most": 0.05, "location_seconds": 0.001}
        access = {"access": "keys", "key_folder": tmp_path / "keys"}
        given = lta.settings(sim.url, tmp_path / "orders.sqlite", **quick, **access)
        (item,) = lta.items(sim, 1)
        with running(create_app(given, [lta.catalogue(given)])) as url:
            assert run(url, "order", lta.COLLECTION, item).exit_code == 1
            ordered = run(url, "order", lta.COLLECTION, item, key=key)
            assert ordered.stderr.splitlines()[-1] == "Done: 1 succeeded."
            listed = run(url, "orders", "list", key=key)
            assert item in "".join(listed.stdout.split())
            folder = tmp_path / "out"
            fetched = run(url, "download", lta.COLLECTION, item, "-o", str(folder), key=key)
    assert fetched.exit_code == 0, fetched.stderr
    assert [file.suffix for file in folder.iterdir()] == [".zip"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.evil.example:8080/", "http://127.0.0.1:1/", "https://{host}/", "ftp://{host}/"]
)
def test_the_key_goes_to_no_other_server_scheme_or_port(url: str) -> None:
    api, host = "http://127.0.0.1:8080", "127.0.0.1:8080"
    auth = Own(Bearer("canary-key"), f"{api}/stac")
    asked = requests.Request("GET", url.format(api=api, host=host)).prepare()
    assert "Authorization" not in auth(asked).headers
    own = requests.Request("GET", f"{api}/elsewhere").prepare()
    assert auth(own).headers["Authorization"] == "Bearer canary-key"


def test_the_key_is_not_sent_where_the_api_redirects_to() -> None:
    with serving(in_turn(Answer(200, b"{}"))) as other:
        moved = Answer(302, headers={"Location": f"{other.url}/stolen"})
        with serving(in_turn(moved)) as server, requests.Session() as session:
            Target(server.url, "canary-key").open(session, server.url)
            session.get(f"{server.url}/search", timeout=10)
    assert server.seen[0].headers["authorization"] == "Bearer canary-key"
    assert "authorization" not in other.seen[0].headers


@pytest.mark.parametrize("given", ["", "two words", "tab\there", "naïve"])
def test_what_cannot_be_a_key_is_refused_and_not_repeated(api: str, given: str) -> None:
    result = run(api, "search", "--key", given)
    assert result.exit_code == 2
    assert "This is not a key" in result.stderr
    assert given == "" or given not in result.stderr


def test_a_file_that_everybody_may_read_is_refused(api: str, key: str, tmp_path: Path) -> None:
    result = run(api, "search", "--key", file_of(tmp_path, key, 0o644))
    assert (result.exit_code, "chmod 600" in result.stderr) == (2, True)
    missing = run(api, "search", "--key", f"@{tmp_path / 'nothing'}")
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (2, True)


def test_the_key_of_the_environment_shows_in_no_list_of_processes(api: str, key: str) -> None:
    command = [sys.executable, "-m", "stacbridge", "search", "-c", "grd"]
    environment = {**os.environ, "STACBRIDGE_URL": api, "STACBRIDGE_KEY": key}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and b"S1A_3" in told
    assert key.encode() not in shown


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "127.0.0.1:8080",
        "stac.example",
        "ftp://localhost",
        "http:///x",
        "http://127.0.0.1:99999",
    ],
)
def test_a_url_that_is_none_is_refused_before_anything_is_asked(url: str) -> None:
    for command in (["search", "-c", "grd"], ["orders", "list"], ["download", "grd", "S1A_3"]):
        result = run(url, *command)
        assert (result.exit_code, "Invalid value for '--url'" in result.stderr) == (2, True)


def test_a_target_does_not_show_its_key() -> None:
    assert "canary" not in repr(Target("http://127.0.0.1", "canary-key"))


def test_the_help_names_the_variable_before_all_other_ways() -> None:
    told = " ".join(CliRunner().invoke(main, ["search", "--help"]).stdout.split())
    told = told[told.index("--key") :]
    assert told.index("in the variable") < told.index("@FILE,") < told.index("others on this machine can see")
