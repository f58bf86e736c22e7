"""Bytes from one connection to another without a copy: through a pipe of the kernel (Linux, `splice`)."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from stacbridge import splicing

if sys.platform == "linux":
    import fcntl

PIECE = 256 * 1024
"""Bytes of a pipe."""
MOST = 64
"""Ducts at once at most: each takes four descriptors, one of them the client's."""


class Duct:
    """A pipe that an upstream's connection flows into. `end` is where its bytes come out."""

    number = 0

    def __init__(self, transport: asyncio.Transport) -> None:
        """Take what comes on `transport`, which is paused; its connection lasts until this is closed, too."""
        end, self._entrance = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.end = open(end, "rb", buffering=0)  # noqa: SIM115
        self._source = os.dup(transport.get_extra_info("socket").fileno())
        self._loop = asyncio.get_running_loop()
        with suppress(PermissionError):  # too many pipes; it then stays as small as it is
            fcntl.fcntl(self._entrance, fcntl.F_SETPIPE_SZ, PIECE)
        self._watched = False
        Duct.number += 1

    @classmethod
    def of(cls, transport: asyncio.Transport) -> Self | None:
        """Return a duct for what comes on `transport`; None over TLS, without `splice`, and beyond `MOST`."""
        plain = transport.get_extra_info("sslcontext") is None
        possible = splicing.works() and plain and transport.get_extra_info("socket") is not None
        return cls(transport) if possible and cls.number < MOST else None

    def fill(self, most: int) -> int | None:
        """Take up to `most` bytes into the empty pipe; return how many, 0 at the end of the connection.

        None where nothing is there yet. Raises `OSError` where the connection broke.
        """
        try:
            return os.splice(self._source, self._entrance, min(most, PIECE), flags=splicing.FLAGS)
        except BlockingIOError:
            return None

    def watch(self, ready: Callable[[], None]) -> None:
        """Call `ready` while something is there to fill it with, until `unwatch`."""
        self._loop.add_reader(self._source, ready)
        self._watched = True

    def unwatch(self) -> None:
        """Call nobody any more."""
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._source)

    def close(self) -> None:
        """Let go of pipe and connection."""
        self.unwatch()
        self.end.close()
        os.close(self._entrance)
        os.close(self._source)
        Duct.number -= 1
