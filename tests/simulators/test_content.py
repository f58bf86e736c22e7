import pytest

from stacbridge.simulators import content
from stacbridge.simulators.archive import Archive
from stacbridge.simulators.packages import Packages
from stacbridge.simulators.trees import members

BOUNDS = (10.0, 20.0, 11.0, 21.5)


@pytest.mark.parametrize("kind", sorted(content.SIZES))
def test_a_file_has_its_length_and_is_its_own(kind: str) -> None:
    made = {content.make(kind, f"product/{n}", BOUNDS) for n in range(40)}
    assert {len(data) for data in made} == {content.SIZES[kind]}
    assert len(made) > 1
    assert content.make(kind, "product/7", BOUNDS) in made


def test_every_product_can_be_packed(archive: Archive) -> None:
    packages = Packages()
    for family in archive.families:
        rows = archive.family_rows(family.number)
        for row in list(rows)[:: max(1, len(rows) // 12)]:
            product = archive.product(row)
            paths = [member.path for member in members(product)]
            assert len(set(paths)) == len(paths)
            assert packages.zip(product)


def test_the_cache_of_packages_is_bounded(archive: Archive) -> None:
    packages = Packages(limit=400_000)
    first = packages.zip(archive.product(0))
    for row in range(1, 40):
        packages.zip(archive.product(row))
    assert packages.zip(archive.product(0)) == first
    assert packages.kept_bytes <= 400_000


def test_gdal_reads_georeferenced_tiles_with_an_overview() -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    data = content.make("tiff", "product/measurement", BOUNDS)
    with rasterio.MemoryFile(data) as memory, memory.open() as opened:
        assert tuple(opened.bounds) == pytest.approx(BOUNDS)
        assert opened.crs.to_epsg() == 4326
        assert opened.profile["tiled"] and opened.overviews(1) == [2]
        assert opened.read(1).std() > 10
        assert opened.read(1, out_shape=(128, 128)).std() > 10


@pytest.mark.parametrize(("kind", "driver"), [("jp2", "JP2OpenJPEG"), ("png", "PNG"), ("jpeg", "JPEG")])
@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_gdal_reads_pictures(kind: str, driver: str) -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    with (
        rasterio.MemoryFile(content.make(kind, "product/picture", BOUNDS)) as memory,
        memory.open() as opened,
    ):
        assert opened.driver == driver
        assert opened.read(1).std() > 10


def test_gdal_places_a_jpeg_2000_picture() -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    with rasterio.MemoryFile(content.make("jp2", "product/B02", BOUNDS)) as memory, memory.open() as opened:
        assert tuple(opened.bounds) == pytest.approx(BOUNDS)
        assert opened.crs.to_epsg() == 4326


def test_gdal_reads_netcdf() -> None:
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    data = content.make("netcdf", "product.nc", BOUNDS)
    with rasterio.MemoryFile(data, ext=".nc") as memory, memory.open() as opened:
        assert opened.driver == "netCDF"
        assert opened.read(1).std() > 10
