"""The command line: `stacbridge` and its commands."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from stacbridge.errors import StacbridgeError

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
            return super().invoke(ctx)
        except StacbridgeError as error:
            raise Failure(error) from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="stacbridge", prog_name="stacbridge")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="STACBRIDGE_CONFIG",
    show_envvar=True,
    help="TOML file with settings; environment variables STACBRIDGE_… win over it.",
)
def main(config: Path | None) -> None:
    """Earth-observation archives that speak older languages, as one modern STAC API."""
    if config is not None:
        os.environ["STACBRIDGE_CONFIG"] = str(config)
