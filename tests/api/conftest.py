from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from stacbridge.app import create_app
from stacbridge.settings import Settings
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
