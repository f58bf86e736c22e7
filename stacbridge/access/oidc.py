"""Login at an OpenID Connect provider with a user name and password (RFC 6749 sections 4.3 and 6)."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

import orjson

from stacbridge.access import totp
from stacbridge.access.flows import Flow
from stacbridge.errors import Misconfigured, UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.model import Json, Reply, Request
from stacbridge.settings import Credentials
from stacbridge.wire.answers import sanitise

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
SECRETS = frozenset({"password", "refresh_token", "totp"})
"""Members of a token request that no error repeats."""
SESSIONS = "Wait until they end (at CDSE within an hour), or log out where the account is used elsewhere."


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the means to renew it. Lives are in seconds from when the token was asked for."""

    access: str = field(repr=False)
    life: float
    refresh: str | None = field(default=None, repr=False)
    refresh_life: float = 0


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """The password grant of one account at one catalogue, renewed with refresh tokens.

    CDSE: access tokens live 600 s and refresh tokens 3600 s; each password grant opens one of 100 sessions,
    a refresh opens none (documentation.dataspace.copernicus.eu, Quotas).
    """

    catalogue: str
    endpoint: str
    client_id: str
    credentials: Credentials = field(repr=False)

    def obtain(self, refresh: str | None, at: float) -> Flow[Token]:
        """Return a new token, by `refresh` while that is good, else by password.

        `at` is the Unix time, for the second factor. Raises `Misconfigured` without user name and password,
        `UpstreamRefused` where the provider refuses them, `UpstreamError` for an answer that is no token.
        """
        username, password = self._account()
        if refresh is not None:
            asked = self._request(grant_type="refresh_token", refresh_token=refresh)
            reply = yield asked
            if reply.status == 200:
                return self._token(reply)
            if _document(reply).get("error") != "invalid_grant":
                raise self._refused(reply, asked)
        second = self._second_factor(at)
        asked = self._request(grant_type="password", username=username, password=password, **second)
        reply = yield asked
        if reply.status == 200:
            return self._token(reply)
        raise self._refused(reply, asked)

    def _account(self) -> tuple[str, str]:
        account = self.credentials
        missing = [self._setting(name) for name in ("username", "password") if getattr(account, name) is None]
        if account.username is None or account.password is None:
            raise Misconfigured(
                f"Downloads from {self.catalogue} need an account; {' and '.join(missing)} not set.",
                upstream=self.catalogue,
                advice="Set it in the environment or in the settings file; searching needs no account.",
            )
        return account.username, account.password.get_secret_value()

    def _second_factor(self, at: float) -> dict[str, str]:
        secret = self.credentials.totp_secret
        if secret is None:
            return {}
        try:
            return {"totp": totp.code(secret.get_secret_value(), at)}
        except ValueError:
            raise Misconfigured(
                f"{self._setting('totp_secret')} is not a base32 secret.",
                upstream=self.catalogue,
                advice="Copy the secret that the account's page shows beside the QR code.",
            ) from None

    def _request(self, **form: str) -> Request:
        body = urlencode({"client_id": self.client_id, **form}).encode()
        return Request("POST", self.endpoint, headers=FORM, body=body)

    def _token(self, reply: Reply) -> Token:
        match _document(reply):
            case {"access_token": str(access), "expires_in": int() | float() as life, **rest}:
                refresh = rest.get("refresh_token")
                until = rest.get("refresh_expires_in")
                return Token(access, life, refresh if isinstance(refresh, str) else None, _seconds(until))
        raise UpstreamError(
            f"The identity provider of {self.catalogue} answered something that is not a token.",
            upstream=self.catalogue,
            asked=f"POST {self.endpoint}",
            answered=f"HTTP {reply.status}, {len(reply.body)} bytes without access_token and expires_in",
            advice="Check the catalogue's token endpoint.",
        )

    def _refused(self, reply: Reply, asked: Request) -> UpstreamError:
        error, description = _reason(reply, asked)
        failure: UpstreamError
        if error == "invalid_grant" and "session" in description.lower():
            failure = UpstreamUnavailable("has too many sessions of the account open", advice=SESSIONS)
        elif error == "invalid_grant":
            failure = UpstreamRefused("refuses the account", advice=self._grant_advice())
        elif reply.status == 408 or reply.status >= 500:
            failure = UpstreamUnavailable("gives no tokens for now", advice="Try again later.")
        else:
            failure = UpstreamRefused(
                "does not accept the login", advice="Check the catalogue's client_id and token endpoint."
            )
        failure.description = f"The identity provider of {self.catalogue} {failure.description}."
        failure.upstream = self.catalogue
        failure.asked = f"POST {self.endpoint}"
        failure.answered = ": ".join(filter(None, (f"HTTP {reply.status}", error, description)))
        return failure

    def _grant_advice(self) -> str:
        names = f"{self._setting('username')} and {self._setting('password')}"
        factor = self._setting("totp_secret")
        if self.credentials.totp_secret is None:
            return f"Check {names}; if the account has a second factor, set {factor} too."
        return f"Check {names}, {factor}, and that this machine's clock is right."

    def _setting(self, name: str) -> str:
        return f"STACBRIDGE_CREDENTIALS__{self.catalogue}__{name}".upper()


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


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
