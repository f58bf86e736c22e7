"""What is read of answers: namespaces, axes, times, files; and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.dialects.opensearch import answers
from stacbridge.dialects.opensearch.records import record
from stacbridge.errors import UpstreamError
from stacbridge.model import Json, Query, Reply
from tests.opensearch.recordings import RECORDINGS, recorded
from tests.opensearch.services import Service, feature, mapping, turned
from tests.schemas import faults

FEED = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:georss="http://www.georss.org/georss"
 xmlns:gml="http://www.opengis.net/gml" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:os="http://a9.com/-/spec/opensearch/1.1/" xmlns:eo="{eo}"><os:totalResults>7</os:totalResults>
<entry><id>https://s.example/a</id><dc:identifier>a</dc:identifier><title>A</title>{inside}</entry></feed>"""
EO = "http://a9.com/-/opensearch/extensions/eo/1.0/"
SPEC_EO = "http://a9.com/-/spec/opensearch/extensions/eo/1.0/"


def feed(inside: str, eo: str = EO) -> Reply:
    return Reply(200, {}, FEED.format(inside=inside, eo=eo).encode(), "https://s.example/find")


def entry(inside: str, eo: str = EO, axes: str = "lat lon") -> Json:
    return record(answers.read(feed(inside, eo), "one", axes=axes).features[0])


# Atom ---------------------------------------------------------------------------------------------
SQUARE: Json = {"type": "Polygon", "coordinates": [[[20, 10], [21, 10], [21, 11], [20, 10]]]}
BOX: Json = {"type": "Polygon", "coordinates": [[[20, 10], [21, 10], [21, 11], [20, 11], [20, 10]]]}


def polygon(positions: str, system: str = "") -> str:
    """Return a GML polygon of one ring."""
    ring = f"<gml:exterior><gml:LinearRing>{positions}</gml:LinearRing></gml:exterior>"
    return f"<georss:where><gml:Polygon {system}>{ring}</gml:Polygon></georss:where>"


URN = 'srsName="urn:ogc:def:crs:EPSG::4326"'
CRS84 = 'srsName="urn:ogc:def:crs:OGC:1.3:CRS84"'
SOLID = '<gml:posList srsDimension="3">10 20 5 10 21 5 11 21 5 10 20 5</gml:posList>'


@pytest.mark.parametrize(
    "inside, geometry",
    [
        ("<georss:polygon>10 20 10 21 11 21 10 20</georss:polygon>", SQUARE),
        ("<georss:polygon> 10 20  10 21 11 21 </georss:polygon>", SQUARE),
        ("<georss:box>10 20 11 21</georss:box>", BOX),
        (
            "<georss:box>10 20 11 21</georss:box><georss:polygon>10 20 10 21 11 21 10 20</georss:polygon>",
            SQUARE,
        ),
        ("<georss:point>10 20</georss:point>", {"type": "Point", "coordinates": [20, 10]}),
        (
            "<georss:line>10 20 11 21</georss:line>",
            {"type": "LineString", "coordinates": [[20, 10], [21, 11]]},
        ),
        (
            "<georss:where><gml:Envelope><gml:lowerCorner>10 20</gml:lowerCorner>"
            "<gml:upperCorner>11 21</gml:upperCorner></gml:Envelope></georss:where>",
            BOX,
        ),
        (polygon("<gml:posList>10 20 10 21 11 21 10 20</gml:posList>", URN), SQUARE),
        (polygon("<gml:posList>20 10 21 10 21 11 20 10</gml:posList>", CRS84), SQUARE),
        (polygon(SOLID), SQUARE),
        (polygon("<gml:coordinates>20,10 21,10 21,11 20,10</gml:coordinates>"), SQUARE),
        ("<georss:polygon>  </georss:polygon>", None),
        ("<georss:polygon>10 20 x 21</georss:polygon>", None),
        ("", None),
    ],
)
def test_axes_of_footprints_are_latitude_first_unless_said_otherwise(
    inside: str, geometry: Json | None
) -> None:
    assert entry(inside)["GeoFootprint"] == geometry


def test_a_feed_that_is_known_to_swap_its_axes_is_read_so() -> None:
    found = entry("<georss:polygon>20 10 21 10 21 11 20 10</georss:polygon>", axes="lon lat")
    assert found["GeoFootprint"] == SQUARE


def test_a_record_with_swapped_axes_is_told_and_the_others_come(tmp_path: Path) -> None:
    swapped = {**feature(1), "geometry": {"type": "Point", "coordinates": [10, 150]}}
    service = Service(lambda given: {"features": [feature(0), swapped, feature(2)], "totalResults": 3})
    catalogue = mapping(tmp_path)
    page = turned(service, catalogue, Query(bbox=(-10, -10, 90, 80)))
    found, skipped = catalogue.items(page.records, "")
    assert [item["id"] for item in found] == ["f02", "f00"]
    assert [(each.record, "swapped" in each.reason) for each in skipped] == [("f01", True)]


@pytest.mark.parametrize("eo", [EO, SPEC_EO])
def test_values_of_the_eo_extension_are_read_in_both_namespaces(eo: str) -> None:
    found = entry("<eo:cloudCover>12.5</eo:cloudCover><dc:date>2020-01-01/2020-01-02</dc:date>", eo)
    assert found["Attributes"]["cloudCover"] == "12.5"
    assert found["ContentDate"] == {"Start": "2020-01-01", "End": "2020-01-02"}


def test_values_in_categories_and_in_embedded_metadata_are_read() -> None:
    found = entry(
        '<category term="eo:orbitNumber:50"/><category term="imagery"/>'
        "<EarthObservation xmlns='http://www.opengis.net/opt/2.1'><phenomenonTime><TimePeriod>"
        "<beginPosition>2020-01-01T00:00:00Z</beginPosition><endPosition>2020-01-01T00:00:09Z</endPosition>"
        "</TimePeriod></phenomenonTime><orbitDirection>ASCENDING</orbitDirection></EarthObservation>"
    )
    assert found["Attributes"]["orbitNumber"] == "50"
    assert found["Attributes"]["orbitDirection"] == "ASCENDING"
    assert found["ContentDate"] == {"Start": "2020-01-01T00:00:00Z", "End": "2020-01-01T00:00:09Z"}


def test_links_of_an_entry_are_files_with_roles() -> None:
    found = entry(
        '<link rel="enclosure" href="https://s.example/a.zip" type="application/zip" length="9"/>'
        '<link rel="icon" href="https://s.example/a.jpg" type="image/jpeg"/>'
        '<link rel="alternate" href="https://s.example/a.html" type="text/html"/>'
    )
    assert found["Files"] == [
        {
            "key": "data",
            "href": "https://s.example/a.zip",
            "name": "a.zip",
            "type": "application/zip",
            "roles": ["data"],
            "size": 9,
        },
        {
            "key": "previews",
            "href": "https://s.example/a.jpg",
            "name": "a.jpg",
            "type": "image/jpeg",
            "roles": ["overview"],
        },
    ]


def test_the_words_of_an_exception_report_are_told() -> None:
    text = b"<r><ExceptionText>bbox is wrong</ExceptionText></r>"
    with pytest.raises(UpstreamError, match="bbox is wrong"):
        answers.read(Reply(200, {}, text), "one")


# Features -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "properties, times",
    [
        ({"date": "2020-01-01T00:00:00Z"}, ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z")),
        ({"date": "a/b"}, ("a", "b")),
        ({"date": "a/"}, ("a", "a")),
        ({"startDate": "a", "completionDate": "b"}, ("a", "b")),
        ({"acquisitionInformation": [{}, {"acquisitionParameters": {"beginningDateTime": "a"}}]}, ("a", "a")),
        (
            {"acquisitionInformation": {"acquisitionParameters": {"endingDateTime": "b"}}, "date": "a"},
            ("a", "b"),
        ),
        ({}, (None, None)),
    ],
)
def test_times_are_read_where_services_put_them(properties: Json, times: tuple[str | None, ...]) -> None:
    found = record({"id": "x", "properties": properties})["ContentDate"]
    assert (found["Start"], found["End"]) == times


def test_an_id_goes_without_that_of_its_collection() -> None:
    assert record({"id": "urn:c:scene", "properties": {"parentIdentifier": "urn:c"}})["Name"] == "scene"
    assert (
        record({"id": "urn:other:scene", "properties": {"parentIdentifier": "urn:c"}})["Name"]
        == "urn:other:scene"
    )


def test_what_resto_says_of_a_product_is_read() -> None:
    services = {"download": {"url": "https://s.example/x", "mimeType": "application/zip", "size": 0}}
    found = record({"id": "x", "properties": {"status": "OFFLINE", "services": services, "thumbnail": None}})
    assert found["Online"] is False
    assert [(file["key"], file["href"], file["name"]) for file in found["Files"]] == [
        ("product", "https://s.example/x", "x.zip")
    ]


MEMBERS = ("id", "properties", "geometry", "coordinates", "links", "data", "href", "services", "type")
ODD = st.recursive(
    st.none() | st.booleans() | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(MEMBERS), inner),
)


@given(ODD)
def test_no_feature_however_odd_breaks_reading(value: object) -> None:
    found = record(value if isinstance(value, dict) else {"properties": value})
    assert found.keys() >= {"Id", "Name", "ContentDate", "GeoFootprint", "Attributes", "Files"}


# Recordings ---------------------------------------------------------------------------------------
@pytest.mark.skipif(RECORDINGS is None, reason="STACBRIDGE_RECORDINGS names no folder")
@pytest.mark.parametrize(
    "file",
    recorded(
        lambda file: not any(word in file.name for word in ("osdd", "description", "error", "ollections"))
    ),
    ids=lambda file: file.name,
)
def test_every_recorded_answer_becomes_valid_items(file: Path, tmp_path: Path) -> None:
    answer = answers.read(Reply(200, {}, file.read_bytes()), "one")
    catalogue = mapping(tmp_path)
    records = [record(feature, moment="updated") for feature in answer.features]
    items, skipped = catalogue.items(records, "https://bridge.example")
    assert [problem for item in items for problem in faults(item)] == []
    assert len(items) + len(skipped) == len(answer.features)
    assert all(each.reason == "it has no time" for each in skipped)
