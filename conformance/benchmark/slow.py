"""A CDSE that takes its time: `python -m conformance.benchmark.slow PORT SECONDS`.

Answers every search with the same 100 products after so many seconds, however many are asked at once.
"""

import asyncio
import random
import sys
from typing import Any

import orjson
import uvicorn

from conformance.benchmark.translate import PRODUCTS, sentinel_2


def main(port: int, seconds: float) -> None:
    """Serve until the process ends; `GET /` answers at once."""
    generator = random.Random(1)
    page = orjson.dumps({"value": [sentinel_2(generator) for _ in range(PRODUCTS)]})
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(page)).encode())]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/":
            await asyncio.sleep(seconds)
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": page})

    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", lifespan="off", log_level="warning"
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
