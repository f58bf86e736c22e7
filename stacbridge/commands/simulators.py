"""The simulated archive beside the bridge, in a process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import IO

import orjson

from stacbridge.errors import Misconfigured, StacbridgeError
from stacbridge.model import Json

NEEDED = ("odata_query", "PIL")
STOP_SECONDS = 5


def require_demo(packages: tuple[str, ...] = NEEDED) -> None:
    """Refuse to start the simulators where the packages that they need are not installed."""
    if any(find_spec(name) is None for name in packages):
        raise Misconfigured(
            "The simulated archive needs the `demo` extra.", advice="pip install 'stacbridge[demo]'"
        )


@contextmanager
def simulated() -> Iterator[Callable[[], Json]]:
    """Run the simulators as long as the block lasts.

    Gives a function that waits for what they announce: endpoints and an account by catalogue.

    They end when their stdin closes, so they outlive no bridge, however that ends.
    """
    require_demo()
    command = [sys.executable, "-m", "stacbridge.simulators", "--all"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        try:
            yield partial(_announcement, child.stdout)
        finally:
            child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def _announcement(stdout: IO[bytes]) -> Json:
    line = stdout.readline()
    try:
        announced: Json = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise StacbridgeError("The simulated archive did not start.", answered=line.decode()[:200]) from None
    return announced
