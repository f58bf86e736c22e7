"""`stacbridge simulate`: run the simulated archives alone."""

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
    "--size", type=click.IntRange(min=1000), default=100_000, show_default=True, help="Products in it."
)
@click.option("--all", "everything", is_flag=True, help="All catalogues, each on free ports.")
def command(port: int, size: int, everything: bool) -> None:
    """Run the simulated CDSE alone, or all catalogues, until ctrl-C.

    Prints the URLs of CDSE's catalogue, downloads and login, and a user name and password; of all catalogues
    as one line of JSON.
    """
    require_demo()
    if everything and port:
        raise click.UsageError("--all takes free ports; leave --port out.")
    # Imported here, because its packages come with the `demo` extra.
    from stacbridge.simulators.process import serve, serve_all

    if everything:
        serve_all(size)
        return
    serve(ports=(port, port + 1, port + 2) if port else (0, 0, 0), size=size)
