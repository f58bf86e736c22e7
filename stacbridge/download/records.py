"""TLS records, deciphered one after another: what runs 65,536 times for a gigabyte, and may be compiled."""

import ssl
from collections.abc import Callable
from typing import Any

RECORD = 16 * 1024
"""Bytes of a TLS record at most. With room for a whole one no rest stays in OpenSSL, untold by any event."""

Read = Callable[[int, memoryview], int]


def reading(connection: ssl.SSLSocket) -> Read:
    """Return what deciphers a record into a buffer, and returns how many bytes, 0 at the end.

    It is what `SSLSocket.read` calls after looking whether the connection is open. It has no documented name,
    so where a Python has it no more, it is `read` itself.
    """
    own: Any = getattr(connection, "_sslobj", None) or connection
    read: Read = own.read
    return read


def fill(read: Read, buffer: memoryview) -> tuple[int, OSError | None]:
    """Decipher into a buffer while there is room for a whole record; return how many bytes, and what ended it
    before: the end of the connection is an `SSLZeroReturnError`."""
    count, last = 0, len(buffer) - RECORD
    try:
        while count == 0 or count <= last:
            got = read(RECORD, buffer[count:])
            if got == 0:
                return count, ssl.SSLZeroReturnError()
            count += got
    except OSError as failure:
        # Its traceback would hold this frame and those that called it, one of which will hold the failure.
        return count, failure.with_traceback(None)
    return count, None
