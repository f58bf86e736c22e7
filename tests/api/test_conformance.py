"""The table of conformance classes."""

from pathlib import Path

import pytest

from stacbridge.api.conformance import CONFORMANCE

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("uri", "proof"), CONFORMANCE.items())
def test_a_class_is_proven_by_a_test_that_exists(uri: str, proof: str) -> None:
    assert "def test_" in (ROOT / proof).read_text(), uri
