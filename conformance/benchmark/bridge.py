"""The bridge's download proxy alone in a process: `python -m conformance.benchmark.bridge PORT PLAIN TLS`."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from conformance.benchmark.upstreams import FILE, TOKEN
from stacbridge.catalogue import Archive
from stacbridge.commands.bridge import listen, serve
from stacbridge.commands.serve import joined
from stacbridge.download.proxy import AssetProxy
from stacbridge.draining import Drain
from stacbridge.model import Found, Json, Query, Ready, Reply, Request
from stacbridge.settings import Settings


@dataclass
class OneFile:
    """A catalogue whose every asset is the same file."""

    id: str
    url: str
    title: str = "One file"
    connections: int = 64
    archive: Archive | None = None

    def locate(self, collection: str, item: str, asset: str) -> Ready:
        return Ready(Request("GET", f"{self.url}/{FILE}"), FILE, "application/zip", ranges=True)

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        return {"Authorization": TOKEN}

    located, authorized = locate, authorize

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        return {"Authorization": TOKEN}

    def warnings(self) -> list[str]:
        return []

    def expired(self, reply: Reply) -> bool:
        return reply.status == 401

    def may_follow(self, url: str) -> bool:
        return False

    def search(self, query: Query, root: str, *, ready: bool = False) -> Found:
        return Found([])

    def collections(self) -> list[Json]:
        return []

    def queryables(self, collection: str | None) -> Json:
        return {}

    def sortables(self, collection: str | None) -> Json:
        return {}


def main(port: int, upstreams: Mapping[str, str]) -> None:
    """Serve `/assets/{name}/c/i/a/{FILE}` for each upstream by name."""
    settings = Settings()
    catalogues = {name: OneFile(name, url) for name, url in upstreams.items()}
    proxy = AssetProxy(catalogues, settings)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await proxy(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await proxy.close()
        await send({"type": "lifespan.shutdown.complete"})

    with listen("127.0.0.1", port) as own, joined(own, settings) as listening:
        serve(app, listening, lambda: None, settings.head_timeout, Drain(0))


if __name__ == "__main__":
    main(int(sys.argv[1]), {"plain": sys.argv[2], "tls": sys.argv[3]})
