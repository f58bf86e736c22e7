from collections.abc import Iterator

import pytest

from tests.cli.fileserver import FileServer, file_server


@pytest.fixture
def files() -> Iterator[FileServer]:
    with file_server() as server:
        yield server
