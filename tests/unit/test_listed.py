"""Files that records list themselves become assets, are found again by key, and nothing else is."""

from pathlib import Path

import orjson
import pytest

from stacbridge.errors import NotFound
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.mapping.products import Place
from stacbridge.model import Json
from stacbridge.settings import Settings

TOP = """
id = "shelf"
title = "Shelf"
dialect = "odata"
field = [{ stac = "datetime", from = "ContentDate/Start", type = "DateTimeOffset" }]
[alternate.origin]
"alternate:name" = "Origin"
[alternate.s3]
"alternate:name" = "S3"
"storage:refs" = ["bucket"]
"""
FAMILY = """
family = { name = "BOOKS", files = true }
[[collection]]
id = "books"
title = "Books"
description = "Books."
match = { productType = ["BOOK"] }
[[collection.asset]]
key = "whole"
type = "application/zip"
of = "product"
"""
COVER = {
    "key": "front cover",
    "href": "https://shelf.example/a/b/cover%201.jpg?v=2",
    "type": "image/jpeg",
    "title": "Cover",
    "roles": ["overview"],
    "size": 123,
    "checksum": "d50110016a174ed963dff9398f9081fd68ab19",
    "fields": {"gsd": 10},
}


def shelf(folder: Path, family: str = FAMILY) -> Mapping:
    (folder / "shelf").mkdir()
    (folder / "shelf.toml").write_text(TOP, encoding="utf-8")
    (folder / "shelf" / "books.toml").write_text(family, encoding="utf-8")
    return load("shelf", Settings(catalogue_folder=folder))


def book(*files: object) -> Json:
    return {
        "Id": "1",
        "Name": "faust",
        "ContentDate": {"Start": "1808-01-01T00:00:00Z"},
        "Attributes": {"productType": "BOOK"},
        "Files": list(files),
    }


def test_a_listed_file_is_an_asset_with_a_proxy_href_and_its_origin(tmp_path: Path) -> None:
    item = shelf(tmp_path).item(book(COVER), "https://bridge.example")
    home = "https://bridge.example/assets/shelf/books/faust"
    assert list(item["assets"]) == ["whole", "front cover"]
    assert item["assets"]["front cover"] == {
        "href": f"{home}/front%20cover/cover%201.jpg",
        "type": "image/jpeg",
        "title": "Cover",
        "roles": ["overview"],
        "gsd": 10,
        "file:size": 123,
        "file:checksum": COVER["checksum"],
        "alternate": {"origin": {"href": COVER["href"], "alternate:name": "Origin"}},
    }
    assert {uri.split("/")[3] for uri in item["stac_extensions"]} == {"alternate-assets", "file"}


def test_ready_items_serialise_to_the_same_json(tmp_path: Path) -> None:
    mapping = shelf(tmp_path)
    for record in (book(COVER), book()):
        plain, ready = (mapping.items([record], "", ready=ready)[0] for ready in (False, True))
        assert orjson.loads(orjson.dumps(ready)) == plain


def test_the_place_of_a_listed_file_is_its_href(tmp_path: Path) -> None:
    mapping = shelf(tmp_path)
    assert mapping.asset("books", "front cover") is None
    assert mapping.place(book(COVER), "front cover") == Place(
        kind="file",
        product="1",
        product_name="faust",
        name="cover 1.jpg",
        media_type="image/jpeg",
        url="https://shelf.example/a/b/cover%201.jpg?v=2",
        size=123,
        checksum="d50110016a174ed963dff9398f9081fd68ab19",
    )


def test_a_file_that_is_not_listed_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="back cover"):
        shelf(tmp_path).place(book(COVER), "back cover")


def test_the_first_file_of_a_key_counts_and_malformed_ones_are_left_out(tmp_path: Path) -> None:
    other = {**COVER, "title": "Another"}
    entries = [None, {"key": "x"}, {"href": "https://a/b"}, COVER, other, {"key": "", "href": "https://a/b"}]
    assets = shelf(tmp_path).item(book(*entries), "")["assets"]
    assert {key: asset.get("title") for key, asset in assets.items()} == {
        "whole": None,
        "front cover": "Cover",
    }


def test_a_file_in_a_bucket_is_shown_with_its_own_href_and_not_carried(tmp_path: Path) -> None:
    mapping, file = shelf(tmp_path), {"key": "text", "href": "s3://shelf/faust/text.txt", "roles": ["data"]}
    asset = mapping.item(book(file), "")["assets"]["text"]
    assert asset == {"href": "s3://shelf/faust/text.txt", "roles": ["data"], "storage:refs": ["bucket"]}
    with pytest.raises(NotFound):
        mapping.place(book(file), "text")


def test_files_are_shown_only_where_the_family_says_that_records_list_them(tmp_path: Path) -> None:
    mapping = shelf(tmp_path, FAMILY.replace(", files = true", ""))
    assert list(mapping.item(book(COVER), "")["assets"]) == ["whole"]
    with pytest.raises(NotFound):
        mapping.asset("books", "front cover")
