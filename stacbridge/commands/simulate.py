"""`stacbridge simulate`: run the simulated archive alone."""

import subprocess
import sys
from contextlib import suppress

import click

from stacbridge.commands.simulators import require_demo


@click.command
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="First port; 0, the default, takes free ones."
)
def command(port: int) -> None:
    """Run the simulated CDSE (catalogue, downloads, login) in the foreground, for clients of OData."""
    require_demo()
    with suppress(KeyboardInterrupt):
        done = subprocess.run(
            [sys.executable, "-m", "stacbridge.simulators", "--port", str(port)], check=False
        )
        sys.exit(done.returncode)
