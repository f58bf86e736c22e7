"""Bytes that do not pass through the bridge: clients sent to presigned URLs, and nginx sent to upstreams."""

import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.faults.kit import PRODUCT, faced
from stacbridge.model import Ready, Request
from stacbridge.simulators.chaos import Act, Chaos
from tests.unit.download_servers import PATH, PATIENCE, TOKEN, Bridge, within

TEMPLATE = Path(__file__).parents[2] / "docker" / "nginx" / "stacbridge.conf.template"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
CONF = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/log; {user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    {server}
}}
"""


def test_a_presigned_file_is_a_redirect_without_a_byte_or_a_token() -> None:
    with faced(Act(), presigned=True) as (bridge, chaos, _):
        for method in ("GET", "HEAD"):
            answer = bridge.ask(method)
            assert (answer.status, answer.body) == (307, b"")
            assert answer.headers["location"] == f"{chaos.url}/product"
        assert chaos.asked == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(folder: Path, bridge: int) -> Iterator[str]:
    """Run nginx with the template in front of a bridge; give its URL."""
    assert NGINX is not None
    port = free_port()
    names = {
        "LISTEN": f"127.0.0.1:{port}",
        "BRIDGE": f"127.0.0.1:{bridge}",
        "RESOLVER": "127.0.0.1",
        "CONNECTIONS": "4",
        "VERIFY": "off",
        "AUTHORITIES": "/dev/null",
    }
    server = TEMPLATE.read_text()
    for name, value in names.items():
        server = server.replace(f"${{{name}}}", value)
    server = server.replace("proxy_ssl_trusted_certificate /dev/null;", "")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "conf").write_text(CONF.format(folder=folder, server=server, user=user))
    with subprocess.Popen(
        [NGINX, "-c", str(folder / "conf"), "-p", str(folder)], stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert within(PATIENCE, lambda: reachable(port)), (folder / "log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_moves_the_bytes_and_the_client_never_sees_the_token(tmp_path: Path) -> None:
    with (
        faced(Act(token=TOKEN), settings={"accel": "/_upstream"}) as (bridge, chaos, _),
        nginx(tmp_path, bridge.port) as front,
    ):
        with urllib.request.urlopen(f"{front}{PATH}", timeout=PATIENCE) as answer:
            assert answer.read() == PRODUCT
            told = dict(answer.headers)
        assert not any(TOKEN in value for value in told.values())
        assert not any(name.lower().startswith(("x-upstream", "x-accel")) for name in told)
        part = urllib.request.Request(f"{front}{PATH}", headers={"Range": "bytes=5-9"})
        with urllib.request.urlopen(part, timeout=PATIENCE) as answer:
            assert (answer.status, answer.read()) == (206, PRODUCT[5:10])
        assert [asked.headers.get("range") for asked in chaos.asked] == ["bytes=0-15", None, "bytes=5-9"]


def ranges_asked(bridge: Bridge, chaos: Chaos) -> list[str | None]:
    """Ask twice for the file; return the ranges that the bridge asked for."""
    for _ in range(2):
        assert bridge.ask().headers["x-upstream-url"] == f"{chaos.url}/product"
    return [asked.headers.get("range") for asked in chaos.asked]


def test_a_file_that_was_seen_is_handed_over_unseen_for_a_while() -> None:
    now = [0.0]
    with faced(Act(), settings={"accel": "/_upstream"}, clock=lambda: now[0]) as (bridge, chaos, _):
        assert ranges_asked(bridge, chaos) == ["bytes=0-15"]
        now[0] = 61
        assert ranges_asked(bridge, chaos) == ["bytes=0-15"] * 2


def test_a_file_that_was_seen_goes_with_the_token_of_the_day() -> None:
    with faced(Act(), settings={"accel": "/_upstream"}) as (bridge, chaos, one):
        told = [bridge.ask().headers["x-upstream-authorization"]]
        one.tokens = ["another"]
        told.append(bridge.ask().headers["x-upstream-authorization"])
        assert told == [f"Bearer {TOKEN}", "Bearer another"]
        assert len(chaos.asked) == 1


def test_a_file_at_a_signed_place_is_looked_at_each_time() -> None:
    with faced(Act(), settings={"accel": "/_upstream"}) as (bridge, chaos, one):
        assert isinstance(one.place, Ready)
        one.place = replace(one.place, request=Request("GET", f"{chaos.url}/product?signature=1"))
        for _ in range(2):
            assert bridge.ask().headers["x-upstream-url"].endswith("/product?signature=1")
        assert len(chaos.asked) == 2


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_what_is_not_the_file_is_refused_before_nginx_hears_of_it(tmp_path: Path) -> None:
    with (
        faced(Act(body=b"<html>"), settings={"accel": "/_upstream"}) as (bridge, _, _),
        nginx(tmp_path, bridge.port) as front,
        pytest.raises(urllib.error.HTTPError, match="502") as refused,
    ):
        urllib.request.urlopen(f"{front}{PATH}", timeout=PATIENCE)
    refused.value.close()
