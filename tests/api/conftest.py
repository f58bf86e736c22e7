from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.settings import Settings
from stacbridge.simulators.clock import ManualClock
from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_orders import SedasFaults
from tests.api import sedas
from tests.api.archive import alpha, beta
from tests.api.serving import products, running


@pytest.fixture(scope="session")
def api() -> Iterator[TestClient]:
    """The bridge over the made-up archive, called without sockets."""
    with TestClient(create_app(Settings(), [alpha(), beta()]), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def bridge() -> Iterator[str]:
    """The URL of the bridge over the made-up archive, served for real, with products that download."""
    with products() as origin, running(create_app(Settings(), [alpha(origin), beta(origin)])) as url:
        yield url


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def sim(clock: ManualClock) -> Iterator[SedasSimulator]:
    with SedasSimulator(300, clock=clock, token_life=10**9) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def root(sim: SedasSimulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a bridge that takes orders, in front of SeDAS's simulator."""
    store = tmp_path_factory.mktemp("orders") / "orders.sqlite"
    with running(create_app(sedas.settings(sim, store))) as url:
        yield url


@pytest.fixture
def healthy(sim: SedasSimulator) -> Iterator[None]:
    """Undo what a test does to the simulator."""
    yield
    sim.faults = SedasFaults()


@pytest.fixture
def offline(sim: SedasSimulator) -> str:
    """A Sentinel-2 product in the long-term archive that no test has ordered."""
    return sedas.archived(sim, 1)[0]
