"""What `stacbridge check` finds."""

from collections.abc import Callable
from dataclasses import dataclass

from stacbridge.commands.terminal import in_words
from stacbridge.errors import StacbridgeError


@dataclass(frozen=True, slots=True)
class Finding:
    """One result: `good` is None where there was nothing to test, or it is neither good nor bad."""

    subject: str
    good: bool | None
    said: str


def attempt(subject: str, test: Callable[[], str]) -> Finding:
    """Return what a test says where it passes, and why where it does not."""
    try:
        return Finding(subject, True, test())
    except StacbridgeError as error:
        return Finding(subject, False, in_words(error))
