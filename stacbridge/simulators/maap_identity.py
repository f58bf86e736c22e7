"""The identity service of the simulated MAAP: an offline token of 90 days is exchanged for access tokens."""

import secrets
import threading
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .clock import Clock
from .sessions import Refusal, key_set, signed

DAYS = 86400.0
CONNECT = "/realms/esa-maap/protocol/openid-connect"


class OfflineAccess:
    """One account's offline token, and the access tokens that were given for it; safe between threads."""

    def __init__(self, clock: Clock, access_life: float, offline_life: float = 90 * DAYS) -> None:
        self.client_secret = secrets.token_hex(8)
        self._clock, self._life = clock, access_life
        self._ends = clock.now() + offline_life
        self.offline_token = signed({"typ": "Offline", "exp": int(self._ends), "jti": secrets.token_hex(8)})
        self._given: dict[str, float] = {}
        self._lock = threading.Lock()

    def exchange(self, form: dict[str, str]) -> dict[str, object]:
        """Answer a token request. Raises Refusal; without the client's secret 401 even for a good token."""
        client = (form.get("client_id"), form.get("client_secret"))
        if client != ("offline-token", self.client_secret):
            raise Refusal(401, "unauthorized_client", "Invalid client or Invalid client credentials")
        if form.get("grant_type") != "refresh_token":
            raise Refusal(400, "unauthorized_client", "Client not allowed for this grant")
        if form.get("refresh_token") != self.offline_token or self._clock.now() >= self._ends:
            raise Refusal(400, "invalid_grant", "Offline user session not found")
        with self._lock:
            ends = self._clock.now() + self._life
            access = signed({"typ": "Bearer", "exp": int(ends), "jti": secrets.token_hex(8)})
            self._given[access] = ends
        return {
            "access_token": access,
            "expires_in": int(self._life),
            "refresh_expires_in": 0,
            "refresh_token": self.offline_token,
            "token_type": "Bearer",
            "scope": "openid profile offline_access",
        }

    def good(self, token: str) -> bool:
        """Tell whether an access token was given and has not ended."""
        with self._lock:
            return self._given.get(token, 0.0) > self._clock.now()

    def forget(self) -> None:
        """Make all access tokens invalid, as a restarted service does."""
        with self._lock:
            self._given.clear()


class OfflineIdentity:
    """The token endpoint. `url` is the service's own address, without a path."""

    def __init__(self, access: OfflineAccess, url: str) -> None:
        self._access, self._url = access, url
        self.token_requests = 0

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        return Starlette(
            routes=[
                Route("/realms/esa-maap/.well-known/openid-configuration", self._discovery),
                Route(f"{CONNECT}/certs", self._keys),
                Route(f"{CONNECT}/token", self._token, methods=["POST"]),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        connect = f"{self._url}{CONNECT}"
        return JSONResponse(
            {
                "issuer": f"{self._url}/realms/esa-maap",
                "token_endpoint": f"{connect}/token",
                "jwks_uri": f"{connect}/certs",
                "grant_types_supported": ["refresh_token"],
            }
        )

    async def _keys(self, request: Request) -> Response:
        return JSONResponse(key_set())

    async def _token(self, request: Request) -> Response:
        self.token_requests += 1
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        try:
            return JSONResponse(self._access.exchange(form), headers={"Cache-Control": "no-store"})
        except Refusal as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(body, refusal.status)
