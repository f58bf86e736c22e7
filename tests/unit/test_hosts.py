import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.wire.hosts import Hosts, Origin, without_query

HOSTS = Hosts.listed(
    ["https://download.example.eu/odata/v1", "zipper.example.eu", "http://127.0.0.1:4000/odata"],
    ["https://identity.example.eu/token"],
)


@pytest.mark.parametrize(
    "url",
    [
        "https://download.example.eu/a",
        "https://DOWNLOAD.example.eu:443?a",
        "https://zipper.example.eu",
        "http://127.0.0.1:4000/x",
    ],
)
def test_listed_servers_may_see_the_credential(url: str) -> None:
    assert HOSTS.may_see_credential(url)
    assert HOSTS.may_follow(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://download.example.eu/a",
        "https://download.example.eu:8443/a",
        "https://download.example.eu.evil.org/a",
        "https://evil.org/download.example.eu",
        "https://evildownload.example.eu/",
        "https://identity.example.eu/token",
        "https://user@download.example.eu/",
        "https://evil.org\\@download.example.eu/",
        "https://download.example.eu@evil.org/",
        "https://download.example.eu /",
        "//download.example.eu/a",
        "http://127.0.0.1:4001/x",
        "",
    ],
)
def test_no_other_server_may_see_the_credential(url: str) -> None:
    assert not HOSTS.may_see_credential(url)


@pytest.mark.parametrize("url", ["https://store.example.org/a?sig=1", "https://identity.example.eu/token"])
def test_a_redirect_may_lead_to_public_https_servers_and_to_configured_ones(url: str) -> None:
    assert HOSTS.may_follow(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://store.example.org/a",
        "https://store.example.org:8443/a",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.0.0.0x1/",
        "https://[::1]/",
        "https://localhost/",
        "https://db.internal/",
        "https://printer.local/",
        "https://intranet/",
        "file:///etc/passwd",
        "ftp://store.example.org/a",
        "http://127.0.0.1:4001/x",
    ],
)
def test_a_redirect_may_lead_neither_inside_nor_down_to_http(url: str) -> None:
    assert not HOSTS.may_follow(url)


@given(st.text(max_size=40))
def test_text_of_any_kind_has_an_origin_or_none(text: str) -> None:
    origin = Origin.of(f"https://{text}")
    assert origin is None or origin.scheme == "https"
    assert not HOSTS.may_see_credential(f"https://evil.org{text}") or "@" not in text


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://a.eu/x?token=1#f", "https://a.eu/x"),
        ("https://me:pw@a.eu/x", "a malformed URL"),
    ],
)
def test_a_url_is_told_without_what_may_be_secret(url: str, told: str) -> None:
    assert without_query(url) == told
