"""From a source of bytes to a client in constant memory; a body that ends cleanly is whole."""

from stacbridge.download.client import Send
from stacbridge.download.verify import Source
from stacbridge.download.watch import Watch


async def pump(source: Source, send: Send, idle: float) -> None:
    """Hand every piece of `source` to `send`, and the end only after all of them.

    Raises what `source` raises, and `TimeoutError` when the client takes nothing for `idle` seconds. The
    client's connection must then be cut, never ended cleanly.
    """
    sent = 0
    try:
        with Watch(idle) as watch:
            while piece := await source.read():
                watch.start()
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                watch.stop()
                sent += len(piece)
    except TimeoutError:
        raise TimeoutError(f"The client took nothing for {idle:g} s, after {sent} bytes.") from None
    await send({"type": "http.response.body", "body": b"", "more_body": False})
