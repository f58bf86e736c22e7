"""What can be made to go wrong, as one value that a test swaps on a running simulator."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["catalogue", "download", "identity"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Answer the next `times` requests to `role` (None: to any of the three hosts) with this instead."""

    times: int = 1
    status: int = 503
    body: bytes = b""
    content_type: str = "text/html"
    role: Role | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Faults:
    """Knobs of a simulator; the default is a service in good health.

    A download is a body served by the download host: `$value`, `$zip`, a node, a burst.
    """

    delay_seconds: float = 0.0
    """Wait before the first byte of every answer."""
    bytes_per_second: float | None = None
    """Speed of each download."""
    cut_after_bytes: int | None = None
    """Close the connection after so many bytes of a download, short of its Content-Length."""
    stall_after_bytes: int | None = None
    """Send so many bytes of a download, then nothing until the client leaves."""
    failure: Failure | None = None
    """Answers to give instead of the true ones."""


LOGIN_PAGE = Failure(
    status=200,
    body=b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to continue</body></html>",
    role="download",
)
"""The sign-in page that a broken gateway sends with status 200 where the product should be."""
