"""What a person reads: tables on stdout, remarks on stderr, sizes and failures in words."""

import sys

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from stacbridge.errors import StacbridgeError

# Wide enough that a table in a file or pipe has one line a row.
PIPE_WIDTH = 240


def show(table: Table) -> None:
    """Print a table to stdout."""
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def remark(text: str) -> None:
    """Print one line for a person to stderr."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(plain(text), markup=False)


def in_words(error: StacbridgeError) -> str:
    """Say what failed, what was asked, what it answered and what to do, a line each."""
    lines = (
        error.description,
        error.asked and f"Asked: {error.asked}",
        error.answered and f"Answered: {error.answered}",
        error.advice and f"To do: {error.advice}",
    )
    return plain("\n  ".join(line for line in lines if line))


def plain(text: str) -> str:
    """Return text of a server without the characters that would steer a terminal."""
    return "".join(
        sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text
    )


def size(number: int | None) -> str:
    """Return a number of bytes in words, empty where unknown."""
    return "" if number is None else decimal(number)
