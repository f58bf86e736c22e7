"""Waiting, in the event loop, until something can be read from a descriptor or written to it."""

import asyncio
from collections.abc import Callable


async def readable(descriptor: int) -> None:
    """Return once something can be read."""
    loop = asyncio.get_running_loop()
    await _ready(loop.add_reader, loop.remove_reader, descriptor)


async def writable(descriptor: int) -> None:
    """Return once something can be written."""
    loop = asyncio.get_running_loop()
    await _ready(loop.add_writer, loop.remove_writer, descriptor)


async def _ready(add: Callable[..., None], remove: Callable[[int], object], descriptor: int) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    add(descriptor, tell)
    try:
        await ready
    finally:
        remove(descriptor)
