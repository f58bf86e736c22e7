"""Where a request comes from, as the reverse proxies in front say it."""

from ipaddress import ip_network
from typing import Any

import pytest

from stacbridge.api.forwarded import Proxies

PROXY, INNER, CLIENT, MADE_UP = "10.0.0.1", "10.0.0.2", "192.0.2.1", "203.0.113.9"


def client(peer: str | None, *headers: tuple[str, str]) -> str:
    scope: dict[str, Any] = {
        "type": "http",
        "client": None if peer is None else (peer, 4711),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    return Proxies([ip_network("10.0.0.0/8"), ip_network("::1")]).client(scope)


def heard(*said: str) -> tuple[str, str]:
    return "x-forwarded-for", ", ".join(said)


def test_without_a_proxy_it_is_the_other_end_of_the_connection() -> None:
    assert client(CLIENT) == CLIENT


def test_who_is_not_listed_may_say_what_they_like() -> None:
    assert client(CLIENT, heard(MADE_UP), ("forwarded", f"for={MADE_UP}")) == CLIENT


def test_behind_a_proxy_it_is_whom_the_proxy_heard_and_not_what_that_one_said() -> None:
    assert client(PROXY, heard(CLIENT)) == CLIENT
    assert client(PROXY, heard(MADE_UP, CLIENT)) == CLIENT
    assert client(PROXY, heard(MADE_UP), heard(CLIENT)) == CLIENT


def test_behind_several_proxies_it_is_whom_the_outermost_heard() -> None:
    assert client(PROXY, heard(MADE_UP, CLIENT, INNER)) == CLIENT


def test_a_local_socket_is_a_proxy() -> None:
    assert client(None, heard(CLIENT)) == CLIENT
    assert client(None) == "a local socket"


def test_a_proxy_that_says_nothing_of_use_is_itself_the_other_end() -> None:
    assert client(PROXY) == PROXY
    for said in ("unknown", "_hidden", "", "1.2.3.4.5", "x" * 9000, "localhost"):
        assert client(PROXY, heard(CLIENT, said)) == PROXY


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_addresses_are_read_with_and_without_ports(said: str, address: str) -> None:
    assert client("::1", heard(said)) == address


def test_the_standard_header_is_read_where_there_is_no_other() -> None:
    said = f'for={MADE_UP}, for="{CLIENT}:80";proto=https;by=10.0.0.1'
    assert client(PROXY, ("forwarded", said)) == CLIENT
    assert client(PROXY, ("forwarded", 'for="[2001:db8::1]:4711"')) == "2001:db8::1"
    assert client(PROXY, ("forwarded", f"for={MADE_UP}"), heard(CLIENT)) == CLIENT
