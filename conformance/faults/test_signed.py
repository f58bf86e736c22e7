"""Rows 33 and 34: what was answered to one caller, and what was signed for one, is of no use to another."""

import random
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.serving import Products
from tests.callers.bridges import Bridge, guarded

ASKED = [
    "/search?limit=2",
    "/collections/radar-grd/items?limit=2",
    "/collections/radar-grd/items/radar-grd-0001",
    "/collections",
    "/slots",
    "/orders",
    "/assets/alpha/radar-grd/radar-grd-0001/image/radar-grd-0001.tif",
]
SIGNED = "?t="


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    with guarded(tmp_path_factory.mktemp("signed")) as running:
        yield running


@pytest.mark.parametrize("path", ASKED)
def test_f33_no_shared_cache_may_keep_what_a_caller_was_answered(bridge: Bridge, path: str) -> None:
    for method in ("GET", "HEAD"):
        headers = bridge.ask(path, method, key=bridge.key).headers
        assert {"private", "no-store"} & set(headers["Cache-Control"].replace(",", " ").split())
        assert "authorization" in headers["Vary"].lower() or "no-store" in headers["Cache-Control"]


def test_f33_callers_in_any_order_see_their_own_hrefs_and_strangers_see_none(bridge: Bridge) -> None:
    keys: dict[str, str | None] = {name: bridge.keys.create(name) for name in ("ada", "bob", "cleo")}
    keys["nobody"] = None
    chance, seen = random.Random(7), dict[str, set[str]]()
    for name in chance.choices(list(keys), k=60):
        for path in ASKED[:3]:
            body = bridge.ask(path, key=keys[name]).text
            tokens = {part.split('"')[0] for part in body.split(SIGNED)[1:]}
            assert bool(tokens) == (name != "nobody")
            seen.setdefault(name, set()).update(tokens)
    for name, tokens in seen.items():
        others = set[str]().union(*(found for other, found in seen.items() if other != name))
        assert not tokens & others


def test_f34_a_signature_with_any_letter_changed_or_left_out_opens_nothing(bridge: Bridge) -> None:
    href = bridge.asset(bridge.key)["href"]
    start = href.index(SIGNED) + len(SIGNED)
    for place in range(start, len(href)):
        for letter in ("A" if href[place] != "A" else "B", ""):
            answer = bridge.ask(href[:place] + letter + href[place + 1 :])
            assert (answer.status_code, answer.json()["code"]) == (403, "SignatureInvalid"), place
    assert bridge.ask(href[: start - len(SIGNED)]).status_code == 401


def test_f34_a_signature_opens_its_file_for_get_head_and_parts_and_no_other_by_any_method(
    bridge: Bridge,
) -> None:
    href = bridge.asset(bridge.key)["href"]
    assert bridge.ask(href).content == Products.content
    assert bridge.ask(href, "HEAD").headers["Content-Length"] == str(len(Products.content))
    assert bridge.ask(href, headers={"Range": "bytes=0-3"}).status_code in (200, 206)
    assert bridge.ask(href, "POST").status_code == 405
    path, query = urlsplit(href).path, urlsplit(href).query
    item = path.split("/")[4]
    for other in (
        path.replace(item, f"{item[:-4]}0001"),
        path.replace("/image/", "/other/"),
        path.replace("/alpha/", "/beta/"),
        path.replace(".tif", ".zip"),
        f"{path}/",
    ):
        assert other != path
        assert bridge.ask(f"{other}?{query}").status_code == 403, other


def test_f34_what_was_signed_for_a_key_ends_with_it_and_says_so(bridge: Bridge) -> None:
    key = bridge.keys.create("dan")
    href = bridge.asset(key)["href"]
    assert bridge.ask(href).status_code == 200
    bridge.keys.revoke(key.partition(".")[0])
    assert bridge.ask(href).json()["code"] == "SignatureRevoked"


def test_f34_a_signature_tells_when_it_ends_and_leaves_no_trace_at_other_sites(bridge: Bridge) -> None:
    asset = bridge.asset(bridge.key)
    answer = bridge.ask(asset["href"])
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert parse_qs(urlsplit(asset["href"]).query).keys() == {"t"}
    assert asset["expires"] > "2026"
