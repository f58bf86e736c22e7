"""An identity service that speaks as CDSE's Keycloak does: tokens, discovery, keys, revocation, logout.

Its authorization page asks nothing: who opens it is the one account, and signs in (`consents`) or refuses.
"""

import base64
import hashlib
import secrets
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .sessions import Refusal, Sessions, key_set


@dataclass(frozen=True, slots=True)
class Account:
    """The one account; with `totp`, a password alone is refused as a wrong one is."""

    username: str
    password: str
    totp: str | None = None


class Identity:
    """The token endpoint of one account. `base_url` is the service's own address, without a path."""

    def __init__(self, account: Account, sessions: Sessions, base_url: str) -> None:
        self.account = account
        self.sessions = sessions
        self.realm_url = f"{base_url}/auth/realms/CDSE"
        self.token_requests = 0
        self.consents = True
        self._codes: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        connect = "/auth/realms/{realm}/protocol/openid-connect"
        return Starlette(
            routes=[
                Route("/auth/realms/{realm}/.well-known/openid-configuration", self._discovery),
                Route(f"{connect}/certs", self._keys),
                Route(f"{connect}/auth", self._authorize),
                Route(f"{connect}/token", self._token, methods=["POST"]),
                Route(f"{connect}/revoke", self._end, methods=["POST"]),
                Route(f"{connect}/logout", self._end, methods=["POST"]),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        connect = f"{self.realm_url}/protocol/openid-connect"
        return JSONResponse(
            {
                "issuer": self.realm_url,
                "authorization_endpoint": f"{connect}/auth",
                "token_endpoint": f"{connect}/token",
                "introspection_endpoint": f"{connect}/token/introspect",
                "userinfo_endpoint": f"{connect}/userinfo",
                "end_session_endpoint": f"{connect}/logout",
                "revocation_endpoint": f"{connect}/revoke",
                "jwks_uri": f"{connect}/certs",
                "grant_types_supported": [
                    "authorization_code",
                    "password",
                    "refresh_token",
                    "client_credentials",
                ],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "scopes_supported": ["openid", "AUDIENCE_PUBLIC", "ondemand_processing", "offline_access"],
            }
        )

    async def _keys(self, request: Request) -> Response:
        return JSONResponse(key_set())

    async def _token(self, request: Request) -> Response:
        with self._lock:
            self.token_requests += 1
        try:
            form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
            return JSONResponse(self._grant(form), headers={"Cache-Control": "no-store"})
        except Refusal as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            return JSONResponse(body, refusal.status)

    def _grant(self, form: dict[str, str]) -> dict[str, object]:
        match form.get("grant_type"):
            case "password":
                return self._password(form)
            case "authorization_code":
                return self._code(form)
            case "refresh_token":
                return self.sessions.refresh(form.get("refresh_token", ""))
            case "client_credentials" if form.get("client_id", "").startswith("sh-"):
                return self.sessions.open(form["client_id"], audience="SENTINEL_HUB")
            case None:
                raise Refusal(400, "invalid_request", "Missing form parameter: grant_type")
        raise Refusal(400, "unsupported_grant_type", "Unsupported grant_type")

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        sound = asked.get("response_type") == "code" and asked.get("code_challenge_method") == "S256"
        redirect = asked.get("redirect_uri", "")
        if asked.get("client_id") != "cdse-public" or not sound or urlsplit(redirect).hostname != "127.0.0.1":
            return Response("Invalid parameter", 400)
        answer = {"state": asked.get("state", "")}
        if self.consents:
            answer["code"] = secrets.token_urlsafe(24)
            self._codes[answer["code"]] = (redirect, asked.get("code_challenge", ""))
        else:
            answer |= {"error": "access_denied", "error_description": "The user said no"}
        return RedirectResponse(f"{redirect}?{urlencode(answer)}", 302)

    def _code(self, form: dict[str, str]) -> dict[str, object]:
        """Give tokens for a code, once, to who knows what its challenge was made of (RFC 7636, 4.6)."""
        redirect, challenge = self._codes.pop(form.get("code", ""), ("", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if not redirect or form.get("redirect_uri") != redirect:
            raise Refusal(400, "invalid_grant", "Code not valid")
        if not proven:
            raise Refusal(400, "invalid_grant", "PKCE verification failed")
        return self.sessions.open(self.account.username)

    def _password(self, form: dict[str, str]) -> dict[str, object]:
        given = (form.get("username"), form.get("password"), form.get("totp"))
        expected = (self.account.username, self.account.password, self.account.totp)
        if form.get("client_id") != "cdse-public":
            raise Refusal(401, "invalid_client", "Invalid client or Invalid client credentials")
        if given[:2] != expected[:2] or (expected[2] is not None and given[2] != expected[2]):
            raise Refusal(401, "invalid_grant", "Invalid user credentials")
        return self.sessions.open(self.account.username)

    async def _end(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        for key in ("token", "refresh_token"):
            for token in form.get(key, []):
                self.sessions.close(token)
        return Response(status_code=204 if request.url.path.endswith("/logout") else 200)
