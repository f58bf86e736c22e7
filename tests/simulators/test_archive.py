import re
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from stacbridge.simulators.archive import Archive
from stacbridge.simulators.families import satellites
from stacbridge.simulators.footprints import geojson
from stacbridge.simulators.grids import Squares, from_utm, to_utm

COLLECTIONS = {
    "SENTINEL-1",
    "SENTINEL-1-RTC",
    "SENTINEL-2",
    "SENTINEL-3",
    "SENTINEL-5P",
    "SENTINEL-6",
    "LANDSAT-5",
    "LANDSAT-7",
    "LANDSAT-8",
    "LANDSAT-9",
    "SMOS",
    "ENVISAT",
    "TERRAAQUA",
    "COP-DEM",
    "CCM",
    "S2GLC",
    "GLOBAL-MOSAICS",
}


@pytest.fixture(scope="module")
def records(archive: Archive) -> list[dict[str, Any]]:
    return archive.records(archive.all_rows)


def attributes(record: dict[str, Any]) -> dict[str, Any]:
    return {entry["Name"]: entry["Value"] for entry in record["Attributes"]}


def of_type(records: list[dict[str, Any]], pattern: str) -> list[dict[str, Any]]:
    chosen = [record for record in records if re.match(pattern, record["Name"])]
    assert chosen
    return chosen


def test_every_collection_has_products(archive: Archive) -> None:
    assert {family.collection for family in archive.families} == set(archive.collections()) == COLLECTIONS


def test_names_and_identifiers_are_unique(records: list[dict[str, Any]]) -> None:
    for field in ("Name", "Id"):
        assert [value for value, count in Counter(r[field] for r in records).items() if count > 1] == []


def test_names_are_unique_among_a_hundred_thousand() -> None:
    archive = Archive(100_000)
    assert len(set(archive.names.tolist())) == 100_000


def test_the_same_size_gives_the_same_products(archive: Archive) -> None:
    assert Archive(archive.size).record(1234) == archive.record(1234)


def test_identifiers_lead_back_to_their_rows(archive: Archive) -> None:
    rows = archive.all_rows[::37]
    assert [archive.ids.row(text) for text in archive.ids.of(rows)] == rows.tolist()
    assert archive.ids.row("4747490c-a78f-4d0e-8080-5f74297409a3") is None
    assert archive.asset_ids.row(archive.ids.of(rows)[3]) is None


def test_an_archive_too_small_for_every_family_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        Archive(10)


@pytest.mark.parametrize(
    ("code", "orbit", "relative", "cycle"),
    [
        ("S1A", 57287, 165, 341),
        ("S1A", 54210, 63, 324),
        ("S1C", 5702, 106, 36),
        ("S1C", 1628, 57, 13),
        ("S2A", 44743, 130, None),
        ("S2A", 26783, 45, None),
        ("S3A", 40999, 216, 107),
        ("S3B", 34824, 287, 101),
        ("S3B", 25397, 100, 77),
        ("S6A", 19875, 114, 157),
    ],
)
def test_orbits_relate_as_in_published_products(
    code: str, orbit: int, relative: int, cycle: int | None
) -> None:
    satellite = satellites()[code]
    numbers = np.array([orbit])
    assert satellite.relative_orbit(numbers).tolist() == [relative]
    assert cycle is None or satellite.cycle(numbers).tolist() == [cycle]


def test_sentinel_1_names_say_what_the_attributes_say(records: list[dict[str, Any]]) -> None:
    for record in of_type(records, r"S1._IW_SLC__1S"):
        facts = attributes(record)
        *_, start, end, orbit, take, _ = record["Name"].removesuffix(".SAFE").split("_")
        assert record["ContentDate"]["Start"].replace("-", "").replace(":", "").startswith(start)
        assert record["ContentDate"]["End"].replace("-", "").replace(":", "").startswith(end)
        assert int(orbit) == int(facts["orbitNumber"])
        assert int(take, 16) == int(facts["datatakeID"])
        satellite = satellites()["S1" + facts["platformSerialIdentifier"]]
        relative = satellite.relative_orbit(np.array([int(orbit)]))
        assert relative.tolist() == [int(facts["relativeOrbitNumber"])]


def test_time_since_the_node_agrees_with_direction_and_latitude(archive: Archive) -> None:
    rows = np.array(archive.family_rows(2))
    view = archive.view(int(rows[0])).__class__(archive.families[2], rows - rows[0], len(rows), rows)
    rings = view.rings()
    for ring, name in zip(rings, view.field("direction"), strict=True):
        climbing = ring[1, 1] - ring[0, 1]
        assert (climbing > 0) == (name == "ASCENDING") or abs(climbing) < 0.2


def test_sentinel_2_tiles_hold_their_footprints(records: list[dict[str, Any]]) -> None:
    for record in of_type(records, "S2._MSIL2A"):
        facts = attributes(record)
        assert f"_T{facts['tileId']}_" in record["Name"]
        assert f"_R{int(facts['relativeOrbitNumber']):03d}_" in record["Name"]
        assert facts["processingLevel"] == facts["productType"] == "S2MSI2A"
        assert record["ContentDate"]["Start"] == record["ContentDate"]["End"]


def test_levels_of_sentinel_2_share_their_data_takes(records: list[dict[str, Any]]) -> None:
    first = {record["Name"][11:44] for record in of_type(records, "S2._MSIL1C")}
    second = {record["Name"][11:44] for record in of_type(records, "S2._MSIL2A")}
    assert len(first & second) > 0.9 * len(first)


def test_the_grid_agrees_with_a_recorded_tile() -> None:
    squares = Squares(np.array([142.5]), np.array([13.8]))
    assert squares.names() == ["54PXA"]
    west, south = squares.rings()[0].min(axis=0)
    east, north = squares.rings()[0].max(axis=0)
    assert west == pytest.approx(141.92, abs=0.02) and east == pytest.approx(142.95, abs=0.02)
    assert south == pytest.approx(13.47, abs=0.02) and north == pytest.approx(14.47, abs=0.02)


def test_the_projection_and_its_inverse_cancel() -> None:
    lon, lat = np.array([3.7, -177.2, 20.0]), np.array([50.1, -33.3, 0.0])
    zone = np.array([31, 1, 34])
    back = from_utm(*to_utm(lon, lat, zone), zone)
    assert np.abs(np.array(back) - np.array([lon, lat])).max() < 1e-8


def test_the_oddities_of_real_records_are_all_there_and_rare(archive: Archive) -> None:
    view_traps = [trap for _, view in archive.views(archive.all_rows) for trap in view.trap.tolist()]
    counts = Counter(view_traps)
    assert set(counts) == set(range(11))
    assert 0.02 < 1 - counts[0] / archive.size < 0.08


def test_oddities_look_as_they_do_in_real_records(records: list[dict[str, Any]], archive: Archive) -> None:
    shown = {trap: record for record, trap in zip(records, traps(archive), strict=True)}
    assert shown[1]["Checksum"] == []
    assert shown[2]["Checksum"] == [{}]
    assert shown[3]["ContentLength"] == 0
    assert shown[4]["ContentLength"] == -1
    assert {entry["ValueType"] for entry in shown[5]["Attributes"]} <= {"String", "DateTimeOffset", "Boolean"}
    assert re.fullmatch(r"[\d-]+T[\d:]+\.\d{3}Z", shown[6]["PublicationDate"])
    assert any(str(entry["Value"]).endswith("+00:00") for entry in shown[7]["Attributes"])
    assert shown[8]["EvictionDate"] == ""
    assert shown[9]["Online"] is False
    assert shown[10]["Assets"] == []


def traps(archive: Archive) -> list[int]:
    out = np.empty(archive.size, dtype=int)
    for at, view in archive.views(archive.all_rows):
        out[at] = view.trap
    return out.tolist()


def test_times_of_a_record_follow_each_other(records: list[dict[str, Any]]) -> None:
    for record in records:
        dates = [record["ContentDate"]["Start"], record["ContentDate"]["End"]]
        dates += [record["OriginDate"], record["PublicationDate"], record["ModificationDate"]]
        moments = [datetime.fromisoformat(date) for date in dates]
        assert all(a <= b + timedelta(milliseconds=1) for a, b in pairwise(moments))


def test_auxiliary_products_have_no_footprint(records: list[dict[str, Any]]) -> None:
    for record in of_type(records, r"S\d._(OPER_)?AUX"):
        assert record["Footprint"] is None and record["GeoFootprint"] is None


def test_a_ring_over_the_antimeridian_has_three_forms() -> None:
    ring = np.array([[179.0, 0.0], [181.0, 0.0], [181.0, 1.0], [179.0, 1.0], [179.0, 0.0]])
    beyond, jumping, cut = (geojson(ring, form) for form in range(3))
    assert beyond["coordinates"][0][1] == [181.0, 0.0]
    assert jumping["coordinates"][0][1] == [-179.0, 0.0]
    assert cut["type"] == "MultiPolygon"
    assert sorted(min(lon for lon, _ in part[0]) for part in cut["coordinates"]) == [-180.0, 179.0]
