"""What several sections of the fault table start from."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.faults.identity import Both, behind
from stacbridge import logs


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """The log as the bridge writes it, at its most talkative."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.configure("debug", request.param, stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in logs.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def provider_and_place(tmp_path: Path) -> Iterator[Both]:
    with behind(tmp_path) as both:
        yield both
