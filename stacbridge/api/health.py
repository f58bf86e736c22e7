"""Whether the bridge lives (`/healthz`), may be sent requests (`/readyz`), how it is (`/health`), and its
figures for Prometheus (`/metrics`). Nobody upstream is asked for any of them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from fastapi import FastAPI
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from stacbridge.api.answers import respond
from stacbridge.draining import Drain
from stacbridge.errors import StacbridgeError
from stacbridge.federation import Federation
from stacbridge.metrics import exposition
from stacbridge.model import Json
from stacbridge.orders.desk import Desk

Check = Callable[[], None]
"""Blocks; raises `StacbridgeError` where what it checks does not work."""
OK: Json = {"status": "ok"}
REMEMBERED = 5.0
"""Seconds for which the answer to `/readyz` holds: everybody may ask for it, and it writes to disks."""
NO_STORE = {"Cache-Control": "no-store"}


class Readiness:
    """Whether requests can be served, looked at again when the last look is old. Safe between threads."""

    def __init__(
        self, drain: Drain, checks: Mapping[str, Check], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._drain, self._checks, self._clock = drain, checks, clock
        self._lock = Lock()
        self._looked = float("-inf")
        self._failures: dict[str, str] = {}

    @property
    def draining(self) -> Json:
        """The failure of a bridge that is about to stop; empty for all others."""
        return {"draining": "The bridge is about to stop."} if self._drain.begun else {}

    def failures(self) -> Json:
        """Return what does not work, and why; empty where all is well. Blocks."""
        with self._lock:
            if self._clock() - self._looked >= REMEMBERED:
                self._failures = {name: why for name, check in self._checks.items() if (why := _why(check))}
                self._looked = self._clock()
            return dict(self._failures)


@dataclass(frozen=True, slots=True)
class Health:
    """How the bridge is, from what it knows already.

    `slots` gives numbers of connections by catalogue, `downloads` how downloads fare there, and `spool` how
    that is; these are for the event loop. `warnings` gives what the download side has to say of accounts, and
    blocks.
    """

    federation: Federation
    desk: Desk
    drain: Drain
    slots: Callable[[], Mapping[str, Mapping[str, int]]]
    downloads: Callable[[], Mapping[str, Json]]
    warnings: Callable[[], Mapping[str, list[str]]]
    spool: Callable[[], Json]

    async def document(self) -> Json:
        """Return the document of `/health`."""
        document = await run_in_threadpool(self._document, self.slots(), self.downloads())
        return document | ({"spool": spool} if (spool := self.spool()) else {})

    def _document(self, slots: Mapping[str, Mapping[str, int]], downloads: Mapping[str, Json]) -> Json:
        warned, orders, failed = self.warnings(), *self._orders()
        catalogues = {
            id: {
                **standing,
                "warnings": [*self.federation.warnings(id), *warned.get(id, [])],
                "slots": dict(slots.get(id, {})),
                "downloads": downloads.get(id, {}),
                "orders": orders.get(id, {}),
            }
            for id, standing in self.federation.standing().items()
        }
        return {
            "draining": self.drain.begun,
            "downloads": self.drain.under_way,
            "catalogues": catalogues,
        } | ({} if failed is None else {"orders_unknown": failed})

    def _orders(self) -> tuple[Mapping[str, dict[str, int]], str | None]:
        try:
            return self.desk.standing(), None
        except StacbridgeError as failure:
            return {}, str(failure)


def install(app: FastAPI, health: Health, readiness: Readiness) -> None:
    """Add the routes to `app`."""

    async def healthz() -> Response:
        return respond(OK, headers=NO_STORE)

    async def readyz() -> Response:
        failures = readiness.draining or await run_in_threadpool(readiness.failures)
        body = {"status": "unready", "failures": failures} if failures else OK
        return respond(body, headers=NO_STORE, status=503 if failures else 200)

    async def standing() -> Response:
        return respond(await health.document(), headers=NO_STORE)

    async def figures() -> Response:
        body = await run_in_threadpool(exposition, await health.document())
        return Response(body, headers=NO_STORE, media_type=CONTENT_TYPE_LATEST)

    described: dict[str, Any] = {"tags": ["Health"], "response_class": Response}
    app.add_api_route("/healthz", healthz, name="Whether the bridge lives", **described)
    app.add_api_route("/readyz", readyz, name="Whether it may be sent requests", **described)
    app.add_api_route("/health", standing, name="How each catalogue is", **described)
    app.add_api_route("/metrics", figures, name="Figures for Prometheus", **described)


def _why(check: Check) -> str:
    try:
        check()
    except StacbridgeError as failure:
        return failure.description
    return ""
