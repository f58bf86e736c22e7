"""Section D: what archives answer to searches that is not what it should be, through a whole bridge."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from shapely.geometry import shape

from conformance.faults.kit import heard, served
from conformance.faults.odata import COLLECTION, QUICK, archive, listed, product, search
from stacbridge.loading import load
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.api.archive import alpha
from tests.opensearch.services import CATALOGUE, DESCRIPTION
from tests.servers import Answer, Seen, Server, serving
from tests.unit.download_servers import PATIENCE
from tests.unit.toy import SQUARE

ATOM = "application/atom+xml"
OPEN = """
[access]
flow = "none"
"""
BOTH_COLLECTIONS = f"collections={COLLECTION},radar-grd&limit=100"
NO_ANSWERS = {
    "cut": listed(product(1), product(2))[:-40],
    "NaN": listed(product(1)).replace(b"949326634", b"NaN"),
    "a million deep": b"[" * 900_000,
    "a thousand deep": b'{"value":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "byte order mark": b"\xef\xbb\xbf" + listed(product(1)),
    "another charset": listed(product(1)).decode().encode("utf-16"),
    "latin-1": listed(product(1)).replace(b"Sentinel-1", b"Sentin\xe9l-1"),
    "too large": listed(product(1), padding="x" * 1_000_000),
    "no list": b'{"value": 5}',
    "no object": b"[1, 2]",
    "nothing": b"",
    "a page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_f44_an_answer_that_is_no_page_is_502_and_takes_nothing_from_other_catalogues(body: bytes) -> None:
    with archive(lambda seen: body) as (port, _):
        status, found = search(port, BOTH_COLLECTIONS)
        assert (status, found["federation:missing"]) == (200, ["cdse"])
        assert {feature["collection"] for feature in found["features"]} == {"radar-grd"}
        assert "numberMatched" not in found
        status, failure = search(port)
        assert (status, failure["code"], failure["upstream"]) == (502, "UpstreamError", "cdse")
        assert b"Sign in" not in orjson.dumps(failure)


def test_f44_it_is_said_where_an_answer_ends_to_be_json() -> None:
    whole = listed(product(1))
    with archive(lambda seen: whole[:500]) as (port, _):
        assert "no JSON at character 5" in search(port)[1]["answered"]


def test_f44_of_a_member_that_comes_twice_the_last_one_counts() -> None:
    twice = listed(product(1)).replace(b'{"Id":"id-1"', b'{"Id":"canary","Id":"id-1"')
    with archive(lambda seen: twice) as (port, _):
        assert "canary" not in str(search(port)[1]["features"][0])


FEED = """<?xml version="1.0"?>{doctype}<feed xmlns="http://www.w3.org/2005/Atom"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:georss="http://www.georss.org/georss"
 xmlns:os="http://a9.com/-/spec/opensearch/1.1/"><os:totalResults>{total}</os:totalResults>{entries}</feed>"""
PAGED = "n={count?}&amp;at={startIndex?}"
ENTRY = """<entry><id>https://s.example/{id}</id><dc:identifier>{id}</dc:identifier><title>{title}</title>
<dc:date>{date}</dc:date><georss:point>10 20</georss:point></entry>"""
DAY = "2024-01-01T00:00:00Z/2024-01-02T00:00:00Z"
BOMB = (
    '<!DOCTYPE feed [<!ENTITY a0 "x">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def entry(id: str, title: str = "A", date: str = DAY) -> str:
    return ENTRY.format(id=id, title=title, date=date)


@contextmanager
def atom(folder: Path, feed: Callable[[str], str]) -> Iterator[tuple[int, Server]]:
    """Serve an OpenSearch service whose answers are the Atom that `feed` makes, being told its URL."""

    def script(seen: Seen) -> Answer:
        if seen.path == "/osdd":
            text = DESCRIPTION.format(media_type=ATOM, offsets="", query=PAGED)
            return Answer(body=text.replace("https://search.example", upstream.url).encode())
        return Answer(body=feed(upstream.url).encode(), headers={"Content-Type": ATOM})

    with serving(script) as upstream:
        (folder / "one.toml").write_text(CATALOGUE.format(search="", limits="connections = 1") + OPEN)
        endpoints = {"one": {"description": f"{upstream.url}/osdd"}}
        settings = {**QUICK, "catalogue_folder": folder, "endpoints": endpoints}
        with served(load("one", Settings(**settings)), alpha(), **settings) as port:
            yield port, upstream


@pytest.mark.parametrize(
    ("doctype", "title"),
    [
        ('<!DOCTYPE feed SYSTEM "{url}/secret">', "A"),
        ('<!DOCTYPE feed [<!ENTITY e SYSTEM "{url}/secret">]>', "&e;"),
        ('<!DOCTYPE feed [<!ENTITY % e SYSTEM "{url}/secret">%e;]>', "A"),
        ('<!DOCTYPE feed [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "&e;"),
        (BOMB, "&a11;"),
        ("", "&unknown;"),
    ],
    ids=["external subset", "external entity", "parameter entity", "a file", "billion laughs", "no entity"],
)
def test_f45_a_feed_with_a_doctype_or_entities_is_502_and_nothing_is_fetched_for_it(
    doctype: str, title: str, tmp_path: Path
) -> None:
    def feed(url: str) -> str:
        return FEED.format(doctype=doctype.replace("{url}", url), total=1, entries=entry("a", title))

    with atom(tmp_path, feed) as (port, upstream):
        started = time.monotonic()
        status, failure = search(port, "collections=one")
        assert time.monotonic() - started < PATIENCE
        assert (status, failure["upstream"]) == (502, "one")
        assert not any("secret" in seen.path for seen in upstream.seen)
        assert search(port, "collections=radar-grd")[0] == 200


def test_f45_a_bad_entry_is_left_out_and_counted_and_escaped_html_stays_text(tmp_path: Path) -> None:
    entries = entry("a") + entry("b", date="some day") + entry("c", date="") + entry("d", "&lt;b&gt;")
    with atom(tmp_path, lambda url: FEED.format(doctype="", total=4, entries=entries)) as (port, _):
        status, found = search(port, "collections=one")
    assert (status, sorted(feature["id"] for feature in found["features"])) == (200, ["a", "d"])
    assert found["stacbridge:skipped"]["count"] == 2


WRONG_FOOTPRINTS: dict[str, Json] = {
    "unclosed": {"type": "Polygon", "coordinates": [SQUARE[:-1]]},
    "bow tie": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
    "east of 180": {"type": "Polygon", "coordinates": [[[x + 165, y] for x, y in SQUARE]]},
    "across": {"type": "Polygon", "coordinates": [[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]]},
    "around a pole": {"type": "Polygon", "coordinates": [[[x, 80] for x in range(-180, 181, 60)]]},
    "three dimensions": {"type": "Polygon", "coordinates": [[[x, y, 9] for x, y in SQUARE]]},
    "north of 90": {"type": "Polygon", "coordinates": [[[x, y + 50] for x, y in SQUARE]]},
    "not numbers": {"type": "Polygon", "coordinates": [[["a", None], [1, 0], [1, 1], ["a", None]]]},
    "infinite": {"type": "Polygon", "coordinates": [[[1e308 * 10, 0], [1, 0], [1, 1], [0, 0]]]},
    "empty": {"type": "Polygon", "coordinates": []},
    "no area": {"type": "Polygon", "coordinates": [[[1, 1], [1, 1], [1, 1], [1, 1]]]},
    "collection": {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [0, 0]}]},
    "unknown": {"type": "Circle", "coordinates": [0, 0]},
    "two areas": {"type": "MultiPolygon", "coordinates": [[SQUARE], [[[x + 5, y] for x, y in SQUARE]]]},
}


def test_f46_whatever_a_footprint_is_the_item_is_there_and_its_geometry_valid_or_none() -> None:
    records = [product(n, GeoFootprint=each) for n, each in enumerate(WRONG_FOOTPRINTS.values())]
    with archive(lambda seen: listed(*records)) as (port, _):
        status, found = search(port)
    assert (status, len(found["features"])) == (200, len(records))
    shown = dict(zip(WRONG_FOOTPRINTS, sorted(found["features"], key=lambda item: item["id"]), strict=True))
    for name, feature in shown.items():
        assert ("bbox" in feature) == (feature["geometry"] is not None), name
        told = "stacbridge:geometry_issue" in feature["properties"]
        assert told == (feature["geometry"] is None), name
        if feature["geometry"] is not None:
            geometry = shape(feature["geometry"])
            west, south, east, north = geometry.bounds
            assert geometry.is_valid and not geometry.has_z, name
            assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90, name
    kept = {name for name, feature in shown.items() if feature["geometry"] is not None}
    assert kept >= {"bow tie", "east of 180", "across", "three dimensions", "two areas"}
    assert shown["across"]["bbox"] == [179, pytest.approx(0), -179, pytest.approx(1)]


def test_f46_nesting_that_kills_a_parser_does_not_kill_the_bridge() -> None:
    deep: Json = {"type": "Point", "coordinates": [0, 0]}
    for _ in range(100):
        deep = {"type": "GeometryCollection", "geometries": [deep]}
    text = "GEOMETRYCOLLECTION(" * 20_000 + "POINT(0 0)" + ")" * 20_000
    records = [product(1, GeoFootprint=deep), product(2, GeoFootprint=None, Footprint=text), product(3)]
    with archive(lambda seen: listed(*records)) as (port, _):
        found = search(port)[1]["features"]
        assert [item["geometry"] is None for item in sorted(found, key=lambda item: item["id"])] == [
            True,
            True,
            False,
        ]
        assert heard(port, "/healthz").status == 200


def test_f46_a_footprint_that_would_take_minutes_to_repair_is_left_out() -> None:
    zigzag = [[n % 2 * 10 + n / 30_000, n / 3000] for n in range(30_000)]
    wrong = {"type": "Polygon", "coordinates": [[*zigzag, zigzag[0]]]}
    page = listed(product(1, GeoFootprint=wrong), product(2))
    with archive(lambda seen: page, max_reply_bytes=len(page)) as (port, _):
        started = time.process_time()
        found = search(port)[1]["features"]
        assert time.process_time() - started < 3
    assert [item["geometry"] is None for item in sorted(found, key=lambda item: item["id"])] == [True, False]


def test_f47_what_an_archive_does_not_say_is_not_made_up() -> None:
    record = product(
        1,
        ContentLength=None,
        Checksum=None,
        Locations=[],
        PublicationDate="0000-00-00",
        attributes={"processingDate": "12:60", "orbitNumber": None, "polarisationChannels": None},
    )
    with archive(lambda seen: listed(record)) as (port, _):
        (found,) = search(port)[1]["features"]
    properties, asset = found["properties"], found["assets"]["Product"]
    absent = ("published", "processing:datetime", "sat:absolute_orbit", "sar:polarizations", "updated")
    assert not {name for name in absent if properties.get(name) is not None}
    assert not {"file:size", "file:checksum"} & asset.keys()


BAD = {
    "no name": {"Name": None},
    "no id": {"Id": ""},
    "a kind that nobody knows": {"attributes": {"productType": "NEW"}},
    "attributes that are none": {"attributes": {"productType": ["IW"]}},
    "no time": {"ContentDate": None},
    "a time that is none": {"ContentDate": {"Start": "yesterday", "End": "today"}},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_f48_one_bad_record_is_left_out_of_its_page_and_counted(bad: Json) -> None:
    with archive(lambda seen: listed(product(1), product(2, **bad), product(3))) as (port, _):
        status, found = search(port)
    assert (status, len(found["features"])) == (200, 2)
    assert found["stacbridge:skipped"]["count"] == 1
