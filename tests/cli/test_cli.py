import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stacbridge.cli import COMMANDS, main
from stacbridge.commands.configuration import load_settings
from stacbridge.commands.terminal import in_words
from stacbridge.errors import Misconfigured, NotOrderable
from tests.cli.commands import run


def test_help_lists_every_command_with_a_sentence() -> None:
    lines = run("--help").output.splitlines()
    listed = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  ") and line.split()}
    assert all(listed.get(name) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_says_what_it_is(name: str) -> None:
    context = main.make_context("stacbridge", ["x"], resilient_parsing=True)
    command = main.get_command(context, name)
    assert command is not None and command.help
    silent = [p.name for p in command.params if p.param_type_name == "option" and not getattr(p, "help", "")]
    assert silent == []


def test_version_is_that_of_the_package() -> None:
    assert run("--version").output.startswith("stacbridge, version ")


def test_an_unknown_command_is_refused() -> None:
    assert run("sreve").exit_code == 2


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stacbridge", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("stacbridge, version ")


def test_serve_does_not_import_the_stac_client_or_the_api_to_parse_its_options() -> None:
    code = (
        "import sys; from stacbridge.cli import main;"
        "main.get_command(main.make_context('x', ['x'], resilient_parsing=True), 'serve');"
        "print([m for m in ('pystac_client', 'fastapi', 'requests', 'rich.table') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated() -> None:
    result = run("serve", STACBRIDGE_PORT="hunter2")
    assert result.exit_code == 1
    assert "STACBRIDGE_PORT: Input should be a valid integer" in result.stderr
    assert "hunter2" not in result.output
    assert "Traceback" not in result.output


def test_a_wrong_setting_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "stacbridge.toml"
    file.write_text('[credentials.cdse]\nuser = "me"\npassword = "hunter2"\n')
    result = run("--config", str(file), "serve")
    assert "STACBRIDGE_CREDENTIALS__CDSE__USER: Extra inputs are not permitted" in result.stderr
    assert "hunter2" not in result.output


def test_a_file_that_is_not_toml_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "stacbridge.toml"
    file.write_text("password: hunter2")
    result = run("--config", str(file), "serve")
    assert "The configuration file is not TOML" in result.stderr
    assert "hunter2" not in result.output


def test_a_file_that_is_not_utf8_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "stacbridge.toml"
    file.write_bytes(b'title = "\xff"')
    result = run("--config", str(file), "catalogues")
    assert (result.exit_code, "The configuration file is not UTF-8" in result.stderr) == (1, True)


FULL = Path("/dev/full")
"""A disk without room."""


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has it")
@pytest.mark.parametrize("options", [[], ["--debug"]])
def test_a_full_disk_is_one_sentence_and_a_traceback_for_those_who_want_it(options: list[str]) -> None:
    command = [sys.executable, "-m", "stacbridge", *options, "key", "list"]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "Error: The command failed: No space left on device." in done.stderr
    assert ("Traceback" in done.stderr) is bool(options)


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("simulate", "--port", str(min(taken.getsockname()[1], 65533)))
    assert (result.exit_code, "Address already in use" in result.stderr) == (1, True)
    assert "Traceback" not in result.output


def test_debug_is_the_level_of_serve_unless_that_says_otherwise() -> None:
    assert "default: debug" in run("--debug", "serve", "--help").output
    assert "default: warning" in run("serve", "--help").output


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("CATALOGUES", '["cdse"]'),
        ("TRUSTED_PROXIES", '["127.0.0.1/32", "::1/128"]'),
        ("SIGNING_KEYS", '["…"]'),
        ("ACCOUNTS", '{"cdse": …}'),
    ],
)
def test_a_setting_that_is_not_json_is_named_and_shown_as_it_is_written(name: str, written: str) -> None:
    result = run("serve", **{f"STACBRIDGE_{name}": "hunter2"})
    assert (result.exit_code, "hunter2" in result.output) == (1, False)
    assert f"Write it like STACBRIDGE_{name}='{written}'." in result.stderr


def test_a_wrong_member_of_a_list_is_told_once_by_the_name_of_the_variable() -> None:
    result = run("serve", STACBRIDGE_TRUSTED_PROXIES='["hunter2", "10.0.0.0/99"]')
    (told,) = re.findall(r"STACBRIDGE_TRUSTED_PROXIES[^;]*", result.stderr)
    assert told.startswith("STACBRIDGE_TRUSTED_PROXIES: value is not a valid IPv4 or IPv6 network.")


def test_a_configuration_file_that_is_not_there_is_refused() -> None:
    assert "does not exist" in run("--config", "/nowhere.toml", "serve").stderr


def test_given_settings_win_and_ungiven_ones_do_not_matter() -> None:
    assert load_settings(port=0, host=None).port == 0
    with pytest.raises(Misconfigured, match="STACBRIDGE_PORT"):
        load_settings(port=-1)


def test_a_failure_says_what_failed_what_was_asked_what_it_answered_and_what_to_do() -> None:
    error = NotOrderable(
        "The product is offline.", asked="GET x", answered="409", advice="Use the Data Workspace."
    )
    assert in_words(error) == (
        "The product is offline.\n  Asked: GET x\n  Answered: 409\n  To do: Use the Data Workspace."
    )


def test_what_a_server_says_cannot_steer_the_terminal() -> None:
    assert (
        in_words(NotOrderable("\x1b[31mred\x9b2J", answered="a\rb"))
        == "\ufffd[31mred\ufffd2J\n  Answered: a\ufffdb"
    )
