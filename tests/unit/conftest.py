"""The toy archive, running, and the catalogue in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacbridge.upstream import Upstream
from tests.servers import Server, serving
from tests.unit.toy_archive import FAMILY, TOML, Toy, build


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def server(toy: Toy) -> Iterator[Server]:
    with serving(toy) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: Server) -> Path:
    (tmp_path / "toy.toml").write_text(TOML.replace("{url}", server.url))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "toys.toml").write_text(FAMILY)
    return tmp_path


@pytest.fixture
def upstream(folder: Path, server: Server) -> Upstream:
    return build(folder, server)
