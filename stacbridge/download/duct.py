"""Bytes from one connection to another without a copy: through a pipe of the kernel (Linux, `splice`)."""

import asyncio
import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

PIECE = 256 * 1024
"""Bytes of a pipe."""
FLAGS = 0 if sys.platform != "linux" else os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK


class Duct:
    """A pipe that an upstream's connection flows into. `end` is where its bytes come out."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Take what comes on `transport`, which is paused; its connection lasts until this is closed, too."""
        end, self._entrance = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.end = open(end, "rb", buffering=0)  # noqa: SIM115
        self._source = os.dup(transport.get_extra_info("socket").fileno())
        self._loop = asyncio.get_running_loop()
        with suppress(PermissionError):  # too many pipes; it then stays as small as it is
            fcntl.fcntl(self._entrance, fcntl.F_SETPIPE_SZ, PIECE)

    def fill(self, most: int) -> int | None:
        """Take up to `most` bytes into the empty pipe; return how many, 0 at the end of the connection.

        None where nothing is there yet. Raises `OSError` where the connection broke.
        """
        try:
            return os.splice(self._source, self._entrance, min(most, PIECE), flags=FLAGS)
        except BlockingIOError:
            return None

    @contextmanager
    def watched(self, ready: Callable[[], None]) -> Iterator[None]:
        """Call `ready` while something is there to fill it with."""
        self._loop.add_reader(self._source, ready)
        try:
            yield
        finally:
            self._loop.remove_reader(self._source)

    def close(self) -> None:
        """Let go of pipe and connection."""
        self.end.close()
        os.close(self._entrance)
        os.close(self._source)


def can_duct(transport: asyncio.Transport) -> bool:
    """Tell whether what comes on `transport` can go through a pipe: where there is `splice`, and no TLS."""
    plain = transport.get_extra_info("sslcontext") is None
    return sys.platform == "linux" and plain and transport.get_extra_info("socket") is not None
