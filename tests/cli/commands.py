"""Running a command in this process, with no settings but those that are given."""

import os

from click.testing import CliRunner, Result

from stacbridge.cli import main


def run(*arguments: str, **environment: str | None) -> Result:
    clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("STACBRIDGE_")}
    return CliRunner().invoke(main, arguments, env=clean | {"STACBRIDGE_CONFIG": None} | environment)
