import socket
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stacbridge.commands.bridge import listen, running, url_of
from stacbridge.errors import Misconfigured, StacbridgeError

Message = dict[str, Any]


async def hello(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def broken(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": ""})


def test_a_running_bridge_answers_on_loopback_and_is_gone_after_the_block() -> None:
    with running(hello) as url:
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(url) as reply:
            assert reply.read() == b"hello"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)


def test_a_bridge_that_cannot_start_is_a_failure_not_a_hang() -> None:
    with pytest.raises(StacbridgeError, match="did not start"), running(broken):
        pass


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            Misconfigured, match=f"Cannot listen on 127.0.0.1 port {port}: Address already in use"
        ):
            listen("127.0.0.1", port)


def test_a_socket_on_all_addresses_is_shown_as_one_that_a_client_can_open() -> None:
    with listen("0.0.0.0", 0) as listening:
        assert url_of(listening) == f"http://127.0.0.1:{listening.getsockname()[1]}"
