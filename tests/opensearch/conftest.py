from collections.abc import Iterator

import pytest

from stacbridge.simulators.opensearch import OpenSearchSimulator
from stacbridge.upstream import Upstream
from tests.opensearch.terrascope import bridged


@pytest.fixture(scope="module")
def simulator() -> Iterator[OpenSearchSimulator]:
    with OpenSearchSimulator(size=300) as running:
        yield running


@pytest.fixture(scope="module")
def terrascope(simulator: OpenSearchSimulator) -> Iterator[Upstream]:
    with bridged(simulator) as upstream:
        yield upstream
