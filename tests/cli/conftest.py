from collections.abc import Iterator

import pytest

from tests.cli.archive import archive
from tests.cli.fileserver import FileServer, file_server


@pytest.fixture
def files() -> Iterator[FileServer]:
    with file_server() as server:
        yield server


@pytest.fixture
def api(files: FileServer) -> Iterator[str]:
    with archive(files) as url:
        yield url
