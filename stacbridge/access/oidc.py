"""Login at an OpenID Connect provider: refresh tokens and passwords (RFC 6749 sections 4.3 and 6).

A client's secret, where it has one, goes into the form and nowhere else: WSO2 answers 400 to a request that
has it in the form and in a Basic header, too (terracatalogueclient 0.1.19, auth.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf
from urllib.parse import parse_qsl, urlencode

import orjson

from stacbridge.access.account import Account
from stacbridge.access.flows import Flow
from stacbridge.access.logins import Token
from stacbridge.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.model import Json, Reply, Request
from stacbridge.wire.answers import sanitise

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
SECRETS = frozenset({"password", "refresh_token", "totp", "client_secret", "code", "code_verifier"})
"""Members of a token request that no error repeats."""
_TOO_MANY = re.compile(r"(?:maximum|too many|limit).*session|session.*(?:exceed|limit)", re.IGNORECASE)
"""Keycloak's other words about sessions ("Offline user session not found") are of tokens that have ended."""
_SECOND_FACTOR = re.compile(r"\b(?:t?otp|2fa|mfa)\b|two.factor|second factor|one.time", re.IGNORECASE)
SESSIONS = "Wait until they end (at CDSE within an hour), or log out where the account is used elsewhere."


@dataclass(frozen=True, slots=True)
class OidcLogin:
    """The login of one account at the token endpoint of its provider.

    CDSE: access tokens live 600 s and refresh tokens 3600 s; each password grant opens one of 100 sessions,
    a refresh opens none (documentation.dataspace.copernicus.eu, Quotas). MAAP: an offline token lives 90 days
    and is not replaced; only its holder can fetch another.
    """

    account: Account = field(repr=False)
    endpoint: str
    client_id: str | None
    scope: str | None = None
    passwords: bool = True
    """Whether the provider takes user names and passwords from this client."""

    def obtain(self, refresh: str | None, at: float) -> Flow[Token]:
        """Return a new token: by `refresh` while that is good, else by a kept one, else by password.

        `at` is the Unix time, for the second factor. Raises `Misconfigured` without an account,
        `UpstreamRefused` where the provider refuses it, `UpstreamError` for an answer that is no token.
        """
        refused: UpstreamError | None = None
        for grant in self._grants(refresh, at):
            asked = self.request(**grant)
            reply = yield asked
            if reply.status == 200:
                return self.token(reply)
            refused = self.refused(reply, asked)
            if "refresh_token" not in grant or _document(reply).get("error") != "invalid_grant":
                raise refused
        raise refused or self.account.missing("refresh_token")

    def _grants(self, refresh: str | None, at: float) -> Iterator[dict[str, str]]:
        """Give the forms that may lead to a token, the cheapest first."""
        kept = self.account.credentials.refresh_token
        known = [refresh, kept.get_secret_value() if kept else None]
        for token in dict.fromkeys(filter(None, known)):
            yield {"grant_type": "refresh_token", "refresh_token": token}
        if self.passwords and (kept is None or self.account.credentials.password is not None):
            username, password = self.account.pair()
            yield {
                "grant_type": "password",
                "username": username,
                "password": password,
                **self.account.second_factor(at),
            }

    def client(self) -> str:
        """Return the OAuth client that logs in. Raises `Misconfigured` where nobody names one."""
        if self.client_id is None:
            raise self.account.missing("client_id")
        return self.client_id

    def request(self, **form: str) -> Request:
        """Return a request to the token endpoint. Raises `Misconfigured` without a client."""
        secret = self.account.credentials.client_secret
        client = {"client_id": self.client()}
        client |= {"client_secret": secret.get_secret_value()} if secret else {}
        client |= {"scope": self.scope} if self.scope else {}
        return Request("POST", self.endpoint, headers=FORM, body=urlencode({**client, **form}).encode())

    def end(self, endpoint: str, refresh: str) -> Request:
        """Return the request that ends the session of a refresh token at the provider's `endpoint`."""
        return replace(self.request(refresh_token=refresh), url=endpoint)

    def token(self, reply: Reply) -> Token:
        """Return the token in an answer. Raises `UpstreamError` where there is none."""
        match _document(reply):
            case {"access_token": str(access), "expires_in": int() | float() as life, **rest}:
                refresh = rest.get("refresh_token")
                until = rest.get("refresh_expires_in")
                return Token(access, life, refresh if isinstance(refresh, str) else None, _life(until))
        raise UpstreamError(
            f"The identity provider of {self.account.catalogue} answered something that is not a token.",
            upstream=self.account.catalogue,
            asked=f"POST {self.endpoint}",
            answered=f"HTTP {reply.status}, {len(reply.body)} bytes without access_token and expires_in",
            advice="Check the catalogue's token endpoint.",
        )

    def refused(self, reply: Reply, asked: Request) -> UpstreamError:
        """Return the failure that a refused token request stands for."""
        error, description = _reason(reply, asked)
        failure: UpstreamError
        if error == "invalid_grant" and _TOO_MANY.search(description):
            failure = UpstreamUnavailable("has too many sessions of the account open", advice=SESSIONS)
        elif error == "invalid_grant":
            failure = UpstreamRefused("refuses the account", advice=self._grant_advice(description))
        elif reply.status == 408 or reply.status >= 500:
            failure = UpstreamUnavailable("gives no tokens for now", advice="Try again later.")
        else:
            failure = UpstreamRefused("does not accept the login", advice=self._client_advice())
        failure.description = f"The identity provider of {self.account.catalogue} {failure.description}."
        failure.upstream = self.account.catalogue
        failure.asked = f"POST {self.endpoint}"
        failure.answered = ": ".join(filter(None, (f"HTTP {reply.status}", error, description)))
        return failure

    def _grant_advice(self, description: str) -> str:
        account = self.account
        if not self.passwords or account.credentials.password is None:
            token = account.setting("refresh_token")
            return f"Run `stacbridge login {account.catalogue}`, or set another {token}."
        names = f"{account.setting('username')} and {account.setting('password')}"
        factor = account.setting("totp_secret")
        if account.credentials.totp_secret is None and _SECOND_FACTOR.search(description):
            return f"The account has a second factor (2FA): set {factor} to the secret behind its codes."
        if account.credentials.totp_secret is None:
            return f"Check {names}; if the account has a second factor, set {factor} too."
        return f"Check {names}, {factor}, and that this machine's clock is right."

    def _client_advice(self) -> str:
        secret = self.account.setting("client_secret")
        return f"Check the catalogue's client_id and token endpoint, and {secret} if that client has one."


def _document(reply: Reply) -> Json:
    try:
        document = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _reason(reply: Reply, asked: Request) -> tuple[str, str]:
    """Return the OAuth error code and its description, empty where there is none.

    Nothing else of the answer is repeated, nor a description that echoes a secret of the request.
    """
    document = _document(reply)
    told = (document.get("error"), document.get("error_description"))
    error, description = (sanitise(text) if isinstance(text, str) else "" for text in told)
    form = parse_qsl((asked.body or b"").decode())
    echoed = any(value in description for name, value in form if name in SECRETS)
    return error, "" if echoed else description


def _life(stated: object) -> float:
    """Return the seconds that a refresh token lives: Keycloak says 0 of one without end, others nothing."""
    return float(stated) if isinstance(stated, int | float) and stated > 0 else inf
