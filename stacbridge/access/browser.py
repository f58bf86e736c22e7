"""Signing in with a browser: the authorization code flow with PKCE (RFC 6749 4.1, RFC 7636, RFC 8252)."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from stacbridge.access.flows import Flow
from stacbridge.access.logins import Token
from stacbridge.access.oidc import OidcLogin
from stacbridge.errors import UpstreamError, UpstreamRefused
from stacbridge.wire.answers import sanitise

REASONS = ("error", "error_description")


@dataclass(frozen=True, slots=True)
class Authorization:
    """One attempt to sign in: a person opens `url`, and the provider sends the browser on to `redirect`."""

    login: OidcLogin
    endpoint: str
    scope: str
    redirect: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def url(self) -> str:
        """The page of the provider where a person signs in."""
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.login.client(),
            "redirect_uri": self.redirect,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.endpoint}{'&' if '?' in self.endpoint else '?'}{urlencode(asked)}"

    def is_answered_by(self, answer: Mapping[str, str]) -> bool:
        """Tell whether parameters that came to `redirect` belong to this attempt."""
        return hmac.compare_digest(answer.get("state", "").encode(), self.state.encode())

    def obtain(self, answer: Mapping[str, str]) -> Flow[Token]:
        """Return the token that the provider's answer leads to, which has a refresh token.

        Raises `UpstreamRefused` where the person or the provider refused, `UpstreamError` without a refresh
        token.
        """
        catalogue = self.login.account.catalogue
        if "code" not in answer:
            told = sanitise(": ".join(answer[name] for name in REASONS if name in answer))
            raise UpstreamRefused(
                f"The identity provider of {catalogue} did not sign you in.",
                upstream=catalogue,
                asked=f"GET {self.endpoint}",
                answered=told or None,
                advice="Try again, and allow the access that the page asks for.",
            )
        asked = self.login.request(
            grant_type="authorization_code",
            code=answer["code"],
            redirect_uri=self.redirect,
            code_verifier=self.verifier,
        )
        reply = yield asked
        if reply.status != 200:
            raise self.login.refused(reply, asked)
        token = self.login.token(reply)
        if token.refresh is None:
            raise UpstreamError(
                f"The identity provider of {catalogue} gave no refresh token, so nothing can be kept.",
                upstream=catalogue,
                asked=f"POST {self.login.endpoint}",
                advice="Sign in another way (--with), or add offline_access to its sign_in_scope.",
            )
        return token


@dataclass(frozen=True, slots=True)
class Browser:
    """The way to sign in at a provider whose page is at `endpoint`."""

    login: OidcLogin
    endpoint: str
    scope: str

    def start(self, redirect: str) -> Authorization:
        """Start an attempt whose answer comes to the URL `redirect`."""
        return Authorization(self.login, self.endpoint, self.scope, redirect)
