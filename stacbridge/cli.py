"""The command line: `stacbridge` and its commands."""

import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from stacbridge.errors import StacbridgeError
from stacbridge.logs import configure

COMMANDS = (
    "serve",
    "search",
    "order",
    "orders",
    "download",
    "catalogues",
    "check",
    "login",
    "logout",
    "key",
    "simulate",
)
CLICKS = (click.ClickException, click.exceptions.Exit, click.Abort, EOFError, BrokenPipeError)
"""What click itself ends a command with, or knows how to."""

DEBUG = "`stacbridge --debug …` shows where."

log = logging.getLogger(__name__)


class Failure(click.ClickException):
    """A failure of ours, told as what failed, what was asked, what it answered and what to do."""

    def __init__(self, error: StacbridgeError) -> None:
        from stacbridge.commands.terminal import in_words

        super().__init__(in_words(error))


class Commands(click.Group):
    """The commands, each imported only when it is asked for, so that `serve` starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"stacbridge.commands.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its failures are sentences, not tracebacks."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
            return done
        except CLICKS:
            raise
        except Exception as error:
            log.debug("The command failed.", exc_info=error)
            _let_go_of_output()
            raise Failure(error if isinstance(error, StacbridgeError) else unforeseen(error)) from error


def _let_go_of_output() -> None:
    """Drop what cannot be written: Python 3.14 tries it again at the end, and makes that the exit code."""
    try:
        sys.stdout.flush()
    except OSError:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def unforeseen(error: Exception) -> StacbridgeError:
    """Return the failure of a command that ended in any other exception than ours."""
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename}: "
        return StacbridgeError(f"The command failed: {place}{error.strerror}.", advice=DEBUG)
    return StacbridgeError(f"The command failed: {type(error).__name__}: {error}.", advice=DEBUG)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stacbridge", prog_name="stacbridge")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="STACBRIDGE_CONFIG",
    show_envvar=True,
    help="TOML file with settings; environment variables STACBRIDGE_… win over it.",
)
@click.option("--debug", is_flag=True, help="Log everything, and where a command failed.")
@click.pass_context
def main(context: click.Context, config: Path | None, debug: bool) -> None:
    """Earth-observation archives that speak older languages, as one modern STAC API."""
    if debug:
        configure("debug", "text")
        context.default_map = {"serve": {"log_level": "debug"}}
    if config is not None:
        os.environ["STACBRIDGE_CONFIG"] = str(config)
