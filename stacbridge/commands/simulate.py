"""`stacbridge simulate`: run the simulated archive alone."""

import click

from stacbridge.commands.simulators import require_demo


@click.command
@click.option(
    "--port",
    type=click.IntRange(0, 65533),
    default=0,
    help="Port of the catalogue, downloads and login on the next two; 0, the default, takes free ones.",
)
@click.option(
    "--size", type=click.IntRange(min=1), default=100_000, show_default=True, help="Products in it."
)
def command(port: int, size: int) -> None:
    """Run the simulated CDSE alone, until ctrl-C.

    Prints the URLs of its catalogue, downloads and login, and a user name and password.
    """
    require_demo()
    # Imported here, because its packages come with the `demo` extra.
    from stacbridge.simulators.process import serve

    serve(ports=(port, port + 1, port + 2) if port else (0, 0, 0), size=size)
