"""Signed hrefs: what opens a file, and that nothing else does."""

from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.callers.principal import Principal
from stacbridge.callers.signing import Signing
from stacbridge.errors import BadRequest, SignatureExpired, SignatureInvalid
from stacbridge.hrefs import asset_href

ROOT = "https://bridge.example/stac"
NOW = 1_800_000_000.0
LIFE = 3600
ADA = Principal("kaaaaaaaaaaaa", "Ada", "key")
HREF = asset_href(ROOT, "cdse", "sentinel-2-l2a", "S2A_X", "B04_10m", "B04.jp2")

parts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=5, max_size=5)


def signing(*keys: bytes, wall: Callable[[], float] = lambda: NOW) -> Signing:
    return Signing(keys or (b"one",), LIFE, 60, wall=wall)


def split(href: str) -> tuple[bytes, str]:
    """Return the path and the token as the bridge reads them of a request line."""
    path, _, token = href.removeprefix(ROOT).partition("?t=")
    return path.encode(), token


@settings(deadline=None)
@given(parts)
def test_what_was_signed_opens_that_file_for_that_principal(names: list[str]) -> None:
    catalogue, collection, item, asset, file = names
    href = asset_href(ROOT, catalogue, collection, item, asset, file)
    assert signing().principal_id(*split(signing().sign(ROOT, href, ADA).href)) == ADA.id


def test_the_path_ends_in_the_files_own_name_and_the_parameter_is_short() -> None:
    href = signing().sign(ROOT, HREF, ADA).href
    path, _, query = href.partition("?")
    assert (path, path.rpartition("/")[2]) == (HREF, "B04.jp2")
    assert len(query) < 80
    assert quote(query, safe="=.-_") == query


@settings(deadline=None)
@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_token_with_any_bit_flipped_opens_nothing(place: int, change: int) -> None:
    path, token = split(signing().sign(ROOT, HREF, ADA).href)
    raw = bytearray(token.encode())
    raw[place % len(raw)] ^= change
    with pytest.raises(SignatureInvalid):
        signing().principal_id(path, raw.decode("latin-1"))


@settings(deadline=None)
@given(st.integers(min_value=0), st.integers(1, 127))
def test_a_path_with_any_byte_changed_is_not_opened(place: int, change: int) -> None:
    path, token = split(signing().sign(ROOT, HREF, ADA).href)
    raw = bytearray(path)
    raw[len("/assets/") + place % (len(raw) - len("/assets/"))] ^= change
    with pytest.raises(SignatureInvalid):
        signing().principal_id(bytes(raw), token)


@settings(deadline=None)
@given(parts, parts)
def test_a_signature_is_good_for_no_other_file(names: list[str], others: list[str]) -> None:
    path, token = split(signing().sign(ROOT, asset_href(ROOT, *names), ADA).href)
    other = asset_href(ROOT, *others).removeprefix(ROOT).encode()
    if names == others:
        assert other == path
    else:
        with pytest.raises(SignatureInvalid):
            signing().principal_id(other, token)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_as_a_token_is_refused_and_breaks_nothing(token: str) -> None:
    with pytest.raises(SignatureInvalid):
        signing().principal_id(split(HREF)[0], token)


def test_parts_cannot_be_shifted_between_each_other() -> None:
    href = asset_href(ROOT, "a", "b/c", "d", "e", "f")
    _, token = split(signing().sign(ROOT, href, ADA).href)
    with pytest.raises(SignatureInvalid):
        signing().principal_id(b"/assets/a/b/c%2Fd/e/f", token)


def test_escapes_may_be_written_otherwise() -> None:
    href = asset_href(ROOT, "cdse", "c", "item~1 (2)", "a", "f.tif")
    path, token = split(signing().sign(ROOT, href, ADA).href)
    assert signing().principal_id(quote(unquote(path.decode()), safe="/~()").encode(), token) == ADA.id


@pytest.mark.parametrize(("late", "good"), [(0, True), (60, True), (61, False), (10**6, False)])
def test_an_href_ends_with_its_life_and_a_minute_for_clocks(late: float, good: bool) -> None:
    made = signing()
    path, token = split(made.sign(ROOT, HREF, ADA).href)
    ends = int(token.split(".")[2], 16)
    after = signing(wall=lambda: ends + late)
    assert NOW + LIFE <= ends <= NOW + LIFE * 9 / 8
    if good:
        assert after.principal_id(path, token) == ADA.id
    else:
        with pytest.raises(SignatureExpired):
            after.principal_id(path, token)


def test_what_was_changed_is_invalid_however_old() -> None:
    path, token = split(signing().sign(ROOT, HREF, ADA).href)
    with pytest.raises(SignatureInvalid):
        signing(wall=lambda: NOW + 10**6).principal_id(path, token[:-1])


def test_the_time_of_its_end_is_told() -> None:
    signed = signing().sign(ROOT, HREF, ADA)
    assert signed.expires == "2027-01-15T09:00:00Z"


def test_for_a_while_the_same_file_has_the_same_href() -> None:
    hrefs = {signing(wall=lambda at=at: NOW + at).sign(ROOT, HREF, ADA).href for at in range(0, 450, 50)}  # type: ignore[misc]
    assert len(hrefs) <= 2


def test_an_older_key_still_opens_and_the_newest_signs() -> None:
    old, both, new = signing(b"old"), signing(b"new", b"old"), signing(b"new")
    by_old, by_both = (split(each.sign(ROOT, HREF, ADA).href) for each in (old, both))
    assert both.principal_id(*by_old) == new.principal_id(*by_both) == ADA.id
    with pytest.raises(SignatureInvalid):
        new.principal_id(*by_old)


def test_a_signed_href_can_be_signed_anew() -> None:
    once = signing().sign(ROOT, HREF, ADA).href
    assert signing(wall=lambda: NOW + LIFE).sign(ROOT, once, ADA).href.count("?t=") == 1


@pytest.mark.parametrize(
    "href",
    [
        "https://elsewhere.example/assets/a/b/c/d/e",
        f"{ROOT}.evil.example/assets/a/b/c/d/e",
        f"{ROOT}/search",
        f"{ROOT}/assets/a/b/c/d",
        f"{ROOT}/assets/a/b/c/d/e/f",
        "/assets/a/b/c/d/e",
    ],
)
def test_nothing_but_this_bridges_assets_is_signed(href: str) -> None:
    with pytest.raises(BadRequest):
        signing().sign(ROOT, href, ADA)
