"""Several servers on the one event loop of one thread: how each simulator runs."""

import asyncio
import socket
import threading
from collections.abc import Sequence

import uvicorn


def in_thread(
    servers: Sequence[uvicorn.Server], listeners: Sequence[socket.socket], name: str
) -> threading.Thread:
    """Serve on the listening sockets, one for each server, until all are told to exit; return when begun."""
    started = threading.Event()
    for listener in listeners:  # connections inherit it; asyncio misses sockets that name no protocol
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def serve() -> None:
        pairs = zip(servers, listeners, strict=True)
        tasks = [asyncio.create_task(server.serve([listener])) for server, listener in pairs]
        asyncio.get_running_loop().call_soon(started.set)
        await asyncio.gather(*tasks)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name=name, daemon=True)
    thread.start()
    started.wait()
    return thread
