"""What a bridge does when it stops."""

from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.orders.store import open_store
from stacbridge.settings import Settings
from tests.api.archive import alpha
from tests.api.serving import products, running

DESCRIPTORS = Path("/proc/self/fd")


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="only Linux tells which files are open")
def test_a_download_just_before_the_end_leaves_no_order_book_open(tmp_path: Path) -> None:
    book = tmp_path / "orders.sqlite"
    settings = Settings(order_store=SecretStr(f"sqlite:///{book}"))
    open_store(settings).close()
    with products() as origin, running(create_app(settings, [alpha(origin)])) as url:
        item = requests.get(f"{url}/search?limit=1", timeout=10).json()["features"][0]
        asset = next(iter(item["assets"].values()))
        assert requests.get(asset["href"], timeout=10).status_code == 200
    still = [link for link in DESCRIPTORS.iterdir() if link.is_symlink()]
    assert not [str(link.readlink()) for link in still if book.name in str(link.readlink())]
