"""What every simulated host shares: its faults, its log of requests, and the gate that applies them."""

import asyncio
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .faults import Failure, Faults, Role


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that a simulated host received; it never holds a credential."""

    method: str
    role: Role
    path: str
    query: str
    has_authorization: bool
    range: str | None


class Control:
    """The faults in force and the log so far; safe to use from several threads."""

    def __init__(self) -> None:
        self.log: list[RequestRecord] = []
        self._faults = Faults()
        self._failures_left = 0
        self._lock = threading.Lock()

    @property
    def faults(self) -> Faults:
        """The faults in force; setting them starts their count of failures anew."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        with self._lock:
            self._faults = faults
            self._failures_left = faults.failure.times if faults.failure else 0

    def next_failure(self, role: Role) -> Failure | None:
        """Take one of the failures still to be answered by this host."""
        with self._lock:
            failure = self._faults.failure
            if failure is None or self._failures_left == 0 or failure.role not in (None, role):
                return None
            self._failures_left -= 1
            return failure


class Gate:
    """ASGI middleware in front of one host: logs each request, waits, and answers failures."""

    def __init__(self, app: ASGIApp, role: Role, control: Control) -> None:
        self._app = app
        self._role = role
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._control.log.append(self._record(scope))
        if self._control.faults.delay_seconds:
            await asyncio.sleep(self._control.faults.delay_seconds)
        failure = self._control.next_failure(self._role)
        if failure is None:
            await self._app(scope, receive, send)
            return
        headers = dict(failure.headers) | {"content-type": failure.content_type}
        await Response(failure.body, failure.status, headers)(scope, receive, send)

    def _record(self, scope: Scope) -> RequestRecord:
        headers = dict(scope["headers"])
        query = scope["query_string"].decode("latin-1")
        secret = "token" in parse_qs(query)
        return RequestRecord(
            method=scope["method"],
            role=self._role,
            path=scope["path"],
            query="token=[hidden]" if secret else query,
            has_authorization=b"authorization" in headers or secret,
            range=headers[b"range"].decode("latin-1") if b"range" in headers else None,
        )
