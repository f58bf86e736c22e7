"""One bridge for all proofs: the README's first command, on any free port."""

from collections.abc import Iterator

import pytest

from conformance.demo import running
from tests.home import leave
from tests.logs import logging_as_it_was

__all__ = ["demo", "logging_as_it_was"]

leave()


@pytest.fixture(scope="session")
def demo() -> Iterator[str]:
    """Run `stacbridge serve --demo`; give its URL."""
    with running() as url:
        yield url
