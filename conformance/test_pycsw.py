"""pycsw, a server that nobody here wrote, behind the bridge by a few lines of TOML."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from stacbridge.dialects.opensearch.dialect import OpenSearch
from stacbridge.mapping.mapping import load
from stacbridge.model import Bbox, Interval, Json, Query
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream
from tests.schemas import faults

pytestmark = pytest.mark.skipif(find_spec("pycsw") is None, reason="pycsw is in the group `conformance`")

ROOT = "https://bridge.example"
CATALOGUE = """
id = "records"
title = "Records"
dialect = "opensearch"
include = ["opensearch"]
[endpoints]
description = "{url}?mode=opensearch&service=CSW&version=3.0.0&request=GetCapabilities"
[access]
flow = "none"
[limits]
connections = 4
[search]
time = "updated"
[[field]]
stac = "searchTerms"
from = "searchTerms"
push = "equal"
title = "Words anywhere in the record"
[family]
name = "records"
# pycsw 2.6 lists these parameters and ignores them.
remove = ["product:type", "eo:cloud_cover", "eo:snow_cover", "sat:orbit_state", "sat:absolute_orbit"]
[[collection]]
id = "records"
title = "Records"
description = "Records of a server that nobody here wrote."
"""
RECORD = """<csw:Record xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:ows="http://www.opengis.net/ows"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dct="http://purl.org/dc/terms/">
<dc:identifier>{id}</dc:identifier><dc:title>Scene {number} of {word}</dc:title><dc:type>dataset</dc:type>
<dc:date>{time}</dc:date><dct:modified>{time}</dct:modified><dct:abstract>All about {word}</dct:abstract>
<ows:BoundingBox crs="urn:ogc:def:crs:EPSG::4326"><ows:LowerCorner>{south} {west}</ows:LowerCorner>
<ows:UpperCorner>{north} {east}</ows:UpperCorner></ows:BoundingBox></csw:Record>"""
WORDS = ("glacier", "harbour", "meadow")


@dataclass(frozen=True)
class Scene:
    number: int

    @property
    def id(self) -> str:
        return f"scene-{self.number:03}"

    @property
    def time(self) -> datetime:
        return datetime(2020, 1, 1, 6, tzinfo=UTC) + timedelta(hours=31 * self.number)

    @property
    def word(self) -> str:
        return WORDS[self.number % 3]

    @property
    def box(self) -> Bbox:
        """Wide enough in latitude that swapped axes would be found out."""
        west, south = -120.0 + 6 * self.number, -60.0 + (7 * self.number) % 100
        return west, south, west + 2, south + 1

    def xml(self) -> str:
        west, south, east, north = self.box
        return RECORD.format(
            id=self.id,
            number=self.number,
            word=self.word,
            time=f"{self.time:%Y-%m-%dT%H:%M:%SZ}",
            south=south,
            west=west,
            north=north,
            east=east,
        )


SCENES = [Scene(number) for number in range(37)]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    folder = tmp_path_factory.mktemp("pycsw")
    (folder / "records").mkdir()
    for scene in SCENES:
        (folder / "records" / f"{scene.id}.xml").write_text(scene.xml(), encoding="utf-8")
    command = [sys.executable, "-m", "conformance.pycsw_server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        ready = next((line for line in process.stdout if line.startswith("Ready: ")), None)
        assert ready is not None, "pycsw did not start"
        upstream = bridged(folder, ready.removeprefix("Ready: ").strip())
        yield upstream
        upstream.close()
        process.stdin.close()
        process.wait(10)


def bridged(folder: Path, url: str) -> Upstream:
    (folder / "records.toml").write_text(CATALOGUE.format(url=url), encoding="utf-8")
    settings = Settings(catalogue_folder=folder)
    mapping = load("records", settings)
    return Upstream(mapping, OpenSearch(mapping), settings)


def items(upstream: Upstream, query: Query) -> list[Json]:
    found = upstream.search(query, ROOT)
    items = list(found.items)
    while found.position is not None:
        assert len(found.items) <= query.limit
        found = upstream.search(replace(query, position=found.position), ROOT)
        items += found.items
    return items


def ids(upstream: Upstream, query: Query) -> list[str]:
    return sorted(item["id"] for item in items(upstream, query))


def test_every_record_comes_once_however_it_is_paged(records: Upstream) -> None:
    for limit in (1, 7, 10, 36, 37, 100):
        assert ids(records, Query(limit=limit)) == [scene.id for scene in SCENES]


def test_a_box_finds_what_it_touches(records: Upstream) -> None:
    west, south, east, north = box = (-100.0, -30.0, 20.0, 40.0)
    wanted = [
        scene.id
        for scene in SCENES
        if scene.box[0] <= east and scene.box[2] >= west and scene.box[1] <= north and scene.box[3] >= south
    ]
    assert ids(records, Query(bbox=box, limit=5)) == wanted
    assert 0 < len(wanted) < len(SCENES)


def test_an_interval_finds_what_is_within_it_to_the_second(records: Upstream) -> None:
    first, last = SCENES[5].time, SCENES[20].time
    assert ids(records, Query(interval=Interval(first, last), limit=4)) == [s.id for s in SCENES[5:21]]
    second = timedelta(seconds=1)
    inner = Interval(first + second, last - second)
    assert ids(records, Query(interval=inner, limit=4)) == [s.id for s in SCENES[6:20]]
    assert ids(records, Query(interval=Interval(None, first))) == [s.id for s in SCENES[:6]]
    assert ids(records, Query(interval=Interval(last, None))) == [s.id for s in SCENES[20:]]


def test_text_finds_the_records_that_hold_it(records: Upstream) -> None:
    filter: Json = {"op": "=", "args": [{"property": "searchTerms"}, "glacier"]}
    assert ids(records, Query(filter=filter, limit=5)) == [s.id for s in SCENES if s.word == "glacier"]


def test_box_time_and_text_hold_together(records: Upstream) -> None:
    filter: Json = {"op": "=", "args": [{"property": "searchTerms"}, "meadow"]}
    query = Query(bbox=(-120, -60, 0, 40), interval=Interval(SCENES[3].time, None), filter=filter, limit=2)
    wanted = [s.id for s in SCENES[3:] if s.word == "meadow" and s.box[0] <= 0 and s.box[1] <= 40]
    assert ids(records, query) == wanted


def test_matches_are_counted(records: Upstream) -> None:
    assert records.search(Query(limit=3, count=True), ROOT).matched == len(SCENES)


def test_a_record_is_found_by_its_id(records: Upstream) -> None:
    assert ids(records, Query(ids=("scene-007",))) == ["scene-007"]
    assert ids(records, Query(ids=("scene-999",))) == []


def test_items_are_valid_and_their_axes_are_right(records: Upstream) -> None:
    found = {item["id"]: item for item in items(records, Query())}
    for scene in SCENES:
        assert found[scene.id]["bbox"] == list(scene.box)
    assert [problem for item in found.values() for problem in faults(item)] == []


def test_items_come_newest_first_though_the_server_does_not_sort(records: Upstream) -> None:
    times = [item["properties"]["datetime"] for item in items(records, Query(limit=5))]
    assert times == sorted(times, reverse=True)
    assert len(times) == len(SCENES)


def test_a_condition_that_the_server_has_no_parameter_for_is_to_be_checked(records: Upstream) -> None:
    filter: Json = {"op": "=", "args": [{"property": "processing:version"}, "1"]}
    assert records.search(Query(filter=filter, count=True), ROOT).matched is None
