"""What several sections of the fault table start from."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.faults.identity import Both, behind
from stacbridge import logs


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> io.StringIO:
    """The log as the bridge writes it, at its most talkative."""
    stream = io.StringIO()
    logs.configure("debug", request.param, stream)
    return stream


@pytest.fixture
def provider_and_place(tmp_path: Path) -> Iterator[Both]:
    with behind(tmp_path) as both:
        yield both
