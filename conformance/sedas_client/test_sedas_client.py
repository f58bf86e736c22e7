"""The published client of SeDAS, sedas-pyapi 0.5.0 unmodified, against the simulator: all that it can do."""

import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.error import HTTPError

import pytest
from sedas_pyapi.bulk_download import SeDASBulkDownload  # type: ignore[import-untyped]
from sedas_pyapi.sedas_api import SeDASAPI  # type: ignore[import-untyped]

from stacbridge.simulators.sedas import SedasSimulator
from stacbridge.simulators.sedas_products import Product

pytestmark = [
    # The client leaves responses and refusals for the garbage collector to close.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AOI = "POLYGON ((-1.3295 51.5881,-1.3013 51.5872,-1.3020 51.5621,-1.3300 51.5622,-1.3295 51.5881))"


@pytest.fixture
def simulator() -> Iterator[SedasSimulator]:
    with SedasSimulator(3000) as running:
        yield running


@pytest.fixture
def client(simulator: SedasSimulator) -> Any:
    """The client, told where the service is as its own `switch_to_dev` does."""

    class Local(SeDASAPI):  # type: ignore[misc]
        headers = dict(SeDASAPI.headers)  # noqa: RUF012 - so that no test sees another's token
        base_url = f"{simulator.url}/"
        authentication_url = f"{base_url}authentication"
        search_url = f"{base_url}search"
        sensor_url = f"{base_url}sensors"

    return Local(simulator.username, simulator.password)


def times(simulator: SedasSimulator) -> tuple[str, str]:
    """All the time that there are products of."""
    return "2000-01-01T00:00:00Z", f"{simulator.now:%Y-%m-%dT%H:%M:%SZ}"


def archived(simulator: SedasSimulator, group: str = "S1") -> Product:
    """The oldest product of a source group, which must be ordered."""
    return min((p for p in simulator.products.all if p.group.name == group), key=lambda p: p.start)


def until(done: Callable[[], Any], seconds: float = 30) -> Any:
    """What `done` returns once it is something; asked a few times a second."""
    for _ in range(int(seconds * 5)):
        found = done()
        if found:
            return found
        threading.Event().wait(0.2)
    raise AssertionError(f"it did not come about in {seconds} s")


def test_it_is_the_published_version() -> None:
    assert version("sedas-pyapi") == "0.5.0"


def test_radar_is_searched_by_area_time_satellite_and_filter(client: Any, simulator: SedasSimulator) -> None:
    found = client.search_sar(
        AOI, *times(simulator), satellite_name="Sentinel-1A", source_group="S1", sarProductType="SLC"
    )
    names = [product["supplierId"] for product in found["products"]]
    assert names
    assert all(name.startswith("S1A_IW_SLC_") for name in names)


def test_optical_is_searched_by_cloud(client: Any, simulator: SedasSimulator) -> None:
    found = client.search_optical(AOI, *times(simulator), source_group="S2", maxCloudPercent=50)
    clouds = [product["cloudCoveragePercent"] for product in found["products"]]
    assert clouds
    assert max(clouds) <= 50


def test_an_answer_is_cut_without_a_word(client: Any, simulator: SedasSimulator) -> None:
    world = "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"
    found = client.search(world, *times(simulator))
    assert (len(found["products"]), set(found)) == (100, {"products"})


def test_filters_that_the_service_does_not_know_are_ignored(client: Any, simulator: SedasSimulator) -> None:
    plain = client.search_optical(AOI, *times(simulator))
    assert client.search_optical(AOI, *times(simulator), sarProductType="SLC", moonPhase=3) == plain


def test_a_product_is_found_by_its_id(client: Any, simulator: SedasSimulator) -> None:
    product = simulator.products.all[7]
    assert [found["supplierId"] for found in client.search_product(product.name)] == [product.name]
    assert client.search_product("no-such-product") == []


def test_groups_and_satellites_are_listed(client: Any) -> None:
    assert {"S1", "S2", "AIRSAR", "NovaSAR"} <= {group["name"] for group in client.list_sensor_groups()}
    assert {"Sentinel-1A", "SPOT-6"} <= {satellite["name"] for satellite in client.list_satellites()}


def test_a_recent_product_downloads(client: Any, simulator: SedasSimulator, tmp_path: Path) -> None:
    newest = max(simulator.products.all, key=lambda product: product.start)
    client.download(client.search_product(newest.name)[0], str(tmp_path / "out.zip"))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None


def test_an_archived_product_is_ordered_polled_and_downloaded(
    client: Any, simulator: SedasSimulator, tmp_path: Path
) -> None:
    simulator.faults = replace(simulator.faults, staging_seconds=1)
    product = client.search_product(archived(simulator).name)[0]
    assert "downloadUrl" not in product
    order = client.request(product)
    assert client.is_request_ready(order) is None
    url = until(lambda: client.is_request_ready(order))
    client.download({**product, "downloadUrl": url}, str(tmp_path / "out.zip"))
    assert zipfile.is_zipfile(tmp_path / "out.zip")
    assert any(path.startswith("/api//request") for _, path, _ in simulator.log)


def test_the_bulk_downloader_brings_what_is_at_hand_and_what_is_not(
    client: Any, simulator: SedasSimulator, tmp_path: Path
) -> None:
    simulator.faults = replace(simulator.faults, staging_seconds=1)
    newest = max(simulator.products.all, key=lambda product: product.start)
    products = [client.search_product(product.name)[0] for product in (newest, archived(simulator))]
    done: SimpleQueue[dict[str, Any]] = SimpleQueue()
    bulk = SeDASBulkDownload(client, str(tmp_path), done_queue=done)
    try:
        bulk.add(products)
        brought = {done.get(timeout=60)["search"]["supplierId"] for _ in products}
    finally:
        bulk.shutdown()
    assert brought == {product["supplierId"] for product in products}
    assert all(zipfile.is_zipfile(tmp_path / f"{name}.zip") for name in brought)


def test_the_client_logs_in_before_every_call_and_the_service_bears_it(
    client: Any, simulator: SedasSimulator
) -> None:
    for _ in range(5):
        client.list_sensor_groups()
    assert simulator.tokens.logins == 5


@pytest.mark.parametrize("status", [401, 403])
def test_the_client_logs_in_anew_when_its_token_is_refused(
    client: Any, simulator: SedasSimulator, status: Any
) -> None:
    simulator.faults = replace(simulator.faults, expires_at_once=True, token_refusal=status)
    assert client.list_satellites()
    simulator.tokens.forget()
    assert client.list_satellites()
    assert simulator.tokens.logins == 2


def test_the_client_does_not_understand_the_400_of_an_expired_token(
    client: Any, simulator: SedasSimulator
) -> None:
    simulator.faults = replace(simulator.faults, expires_at_once=True)
    client.list_satellites()
    simulator.tokens.forget()
    with pytest.raises(HTTPError, match="400") as refused:
        client.list_satellites()
    refused.value.close()


def test_wrong_credentials_are_refused(simulator: SedasSimulator, client: Any) -> None:
    with pytest.raises(HTTPError, match="401") as refused:
        type(client)("demo", "wrong").login()
    refused.value.close()
