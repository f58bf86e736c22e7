from collections.abc import Iterator

import pytest

from stacbridge.dialects.stac import StacApi
from stacbridge.loading import load
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.simulators.maap import MaapSimulator
from stacbridge.upstream import Upstream
from tests.maap.archive import settings
from tests.walks import Walks


@pytest.fixture(scope="module")
def sim() -> Iterator[MaapSimulator]:
    with MaapSimulator() as running:
        yield running


@pytest.fixture(scope="module")
def upstream(sim: MaapSimulator) -> Iterator[Upstream]:
    catalogue = load("maap", settings(sim))
    catalogue.collections()
    yield catalogue
    catalogue.close()


@pytest.fixture(scope="module")
def walks(sim: MaapSimulator) -> Walks:
    dialect = StacApi(load_mapping("maap", settings(sim)))
    return Walks(dialect, dialect.translation)
