"""Logging is one for the whole process: what a test set of it is not left to the next one."""

import logging
from collections.abc import Iterator

import pytest

from stacbridge.logs import OURS


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Put back where the log goes and from what level on, whatever a test or a command made of it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)
