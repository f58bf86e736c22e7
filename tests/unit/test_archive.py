"""Places of bytes, from records alone; listings are tested in test_nodes."""

from dataclasses import replace

import pytest

from stacbridge.access.archive import Archive
from stacbridge.access.flows import drive
from stacbridge.errors import NotOrderable
from stacbridge.mapping.products import Place
from stacbridge.model import Json, Pending, Ready, Reply, Request

ARCHIVE = Archive("cdse", "https://download.example.eu/odata/v1", "Use the Data Workspace.")
RECORD: Json = {"Online": True}
PRODUCT = "https://download.example.eu/odata/v1/Products(4747490c)"
QUICKLOOK = "https://catalogue.example.eu/odata/v1/Assets(7)/$value"


def place(kind: str, media_type: str = "application/zip", **more: object) -> Place:
    return Place(kind, "4747490c", "S1A_X.SAFE", "the-name", media_type, **more)  # type: ignore[arg-type]


def unasked(request: Request) -> Reply:
    raise AssertionError(f"{request.url} was asked for")


def locate(where: Place, record: Json = RECORD) -> Ready:
    found = drive(ARCHIVE.locate(record, where), unasked)
    assert isinstance(found, Ready)
    return found


def test_a_folder_is_zipped_on_the_way_and_has_no_ranges() -> None:
    found = locate(place("product"))
    assert found == Ready(Request("GET", f"{PRODUCT}/$value"), "the-name", "application/zip")


def test_a_product_that_is_one_file_has_ranges_size_and_checksum() -> None:
    found = locate(place("product", "application/netcdf", size=7, checksum="d50110aa"))
    assert (found.ranges, found.size, found.checksum) == (True, 7, "d50110aa")


def test_a_stored_archive_has_its_own_place() -> None:
    found = locate(place("compressed", size=7))
    assert (found.request.url, found.ranges, found.size) == (f"{PRODUCT}/$zip", False, 7)


def test_a_node_with_a_plain_path_is_found_without_asking() -> None:
    found = locate(place("node", "image/tiff", path=("measurement", "a.tiff")))
    assert found.request.url == f"{PRODUCT}/Nodes(S1A_X.SAFE)/Nodes(measurement)/Nodes(a.tiff)/$value"
    assert found.ranges


@pytest.mark.parametrize(
    ("kind", "at_hand"), [("product", False), ("compressed", False), ("quicklook", True), ("file", True)]
)
def test_only_what_is_there_while_its_product_is_offline_is_at_hand(kind: str, at_hand: bool) -> None:
    assert locate(place(kind, url=QUICKLOOK)).at_hand == at_hand


@pytest.mark.parametrize("kind", ["product", "compressed", "node"])
def test_an_offline_product_that_can_be_ordered_is_pending_and_nothing_is_asked(kind: str) -> None:
    orders = replace(ARCHIVE, orders=True)
    found = drive(orders.locate({"Online": False}, place(kind, path=("a",))), unasked)
    assert isinstance(found, Pending) and "S1A_X.SAFE is in the long-term archive" in found.reason


@pytest.mark.parametrize("kind", ["product", "compressed", "node"])
def test_an_offline_product_is_refused_with_what_to_do(kind: str) -> None:
    with pytest.raises(NotOrderable, match=r"S1A_X\.SAFE is offline .* Use the Data Workspace\."):
        locate(place(kind, path=("a",)), {"Online": False})


def test_the_quicklook_of_an_offline_product_is_still_there() -> None:
    assert locate(place("quicklook", "image/jpeg", url=QUICKLOOK), {"Online": False}).request.url == QUICKLOOK
