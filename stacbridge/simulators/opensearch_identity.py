"""The identity service of the simulated OpenSearch service: tokens by password and by refresh token, and what
its files take for a credential.
"""

import base64
import secrets
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .sessions import Refusal, Sessions

CLIENTS = ("public", "terracatalogueclient")
REALM = "/auth/realms/terrascope"
CONNECT = f"{REALM}/protocol/openid-connect"


class Identity:
    """The token endpoint of one account. With `wso2` a client named in form and header is refused."""

    def __init__(self, username: str, password: str, sessions: Sessions, *, wso2: bool) -> None:
        self.grants: list[str] = []
        self._pair = f"{username}:{password}"
        self._user, self._sessions, self._wso2 = username, sessions, wso2

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        return Starlette(
            routes=[
                Route(f"{CONNECT}/token", self._token, methods=["POST"]),
                Route(f"{CONNECT}/auth", self._login, methods=["GET", "HEAD"]),
                Route(f"{CONNECT}/logout", self._logout, methods=["POST"]),
            ]
        )

    def state(self, authorization: str) -> str | None:
        """Return "live" or "expired", `None` where nobody says who is asking."""
        scheme, _, value = authorization.partition(" ")
        if scheme == "Basic":
            return "live" if base64.b64decode(value).decode() == self._pair else "expired"
        if scheme != "Bearer":
            return None
        known = self._sessions.check(value)
        return known[1] if known else "expired"

    async def _login(self, request: Request) -> Response:
        return Response("<!DOCTYPE html><html><body>Sign in</body></html>", media_type="text/html")

    async def _logout(self, request: Request) -> Response:
        for token in parse_qs((await request.body()).decode()).get("refresh_token", []):
            self._sessions.close(token)
        return Response(status_code=204)

    async def _token(self, request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        self.grants.append(form.get("grant_type", ""))
        try:
            twice = "authorization" in request.headers and "client_id" in form
            if form.get("client_id") not in CLIENTS or (self._wso2 and twice):
                raise Refusal(400, "invalid_request", "Client authentication is not right")
            return JSONResponse(self._grant(form))
        except Refusal as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(body, refusal.status)

    def _grant(self, form: dict[str, str]) -> dict[str, object]:
        if form.get("grant_type") == "refresh_token":
            return self._sessions.refresh(form.get("refresh_token", ""))
        given = f"{form.get('username')}:{form.get('password')}"
        right = secrets.compare_digest(given.encode(), self._pair.encode())
        if form.get("grant_type") != "password" or not right:
            raise Refusal(401, "invalid_grant", "Invalid user credentials")
        return self._sessions.open(self._user)
