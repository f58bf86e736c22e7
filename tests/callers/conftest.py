from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.callers.accounts import Place
from tests.callers.archive import archive


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with archive(tmp_path) as (made, server):
        yield Place(tmp_path, made, server)
