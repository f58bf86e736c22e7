"""Tokens of an OpenID Connect provider: signature, issuer, audience and times, by its published keys."""

import hashlib
import logging
import time
from base64 import b32encode
from collections.abc import Callable
from math import inf
from threading import Lock
from typing import Any

import jwt
import orjson

from stacbridge.callers.principal import Principal
from stacbridge.errors import (
    Misconfigured,
    StacbridgeError,
    TokenExpired,
    Unauthorized,
    UpstreamError,
    UpstreamUnavailable,
)
from stacbridge.model import Json, Reply, Request
from stacbridge.settings import Settings
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts, Origin

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that are taken: none whose key is a shared secret."""
REQUIRED = ("exp", "iss", "aud", "sub")
LONGEST = 8192
"""Characters in a token at most."""
PATIENCE = 10
"""Seconds that the provider may take for its keys."""
LONGEST_NAME = 80
NAMES = ("preferred_username", "email", "name")

log = logging.getLogger(__name__)


class Issuer:
    """Knows the tokens of one provider. `send` asks it; `clock` is monotonic. Blocks while it is asked."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        send: Callable[[Request], Reply],
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._audience, self._send = issuer, audience, send
        self._life, self._pause = settings.oidc_key_seconds, settings.oidc_key_pause
        self._leeway, self._clock = settings.clock_tolerance, clock
        self._lock = Lock()
        self._keys: dict[str, Json] = {}
        self._heard_at = self._next_at = -inf

    def principal(self, token: str) -> Principal:
        """Return who holds a token. Raises `Unauthorized`, or `UpstreamError` where no keys can be had."""
        if len(token) > LONGEST:
            raise _refused("it is too long")
        try:
            head = jwt.get_unverified_header(token)
            algorithm = _algorithm(head)
            key = jwt.PyJWK.from_dict(self._key(head.get("kid", ""), algorithm), algorithm)
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": list(REQUIRED)},
            )
        except jwt.ExpiredSignatureError:
            raise _refused("it has ended", TokenExpired) from None
        except jwt.PyJWTError as error:
            raise _refused(_said(error)) from None
        return Principal(_id(self._issuer, claims["sub"]), _name(claims), "oidc")

    def _key(self, id: str, algorithm: str) -> Json:
        """Return the key that a token names; the provider is asked for keys that are old or not known."""
        if self._clock() > self._heard_at + self._life or id not in self._keys:
            self._refresh(known=id in self._keys)
        key = self._keys.get(id)
        if key is None or key.get("alg", algorithm) != algorithm:
            raise _refused("the provider has no such key")
        return key

    def _refresh(self, *, known: bool) -> None:
        """Ask for the keys, one at a time and not too often; others go on with those that are known."""
        if self._lock.acquire(timeout=0 if known else PATIENCE):
            try:
                if self._clock() >= self._next_at:
                    self._renew()
            finally:
                self._lock.release()
        if not self._keys:
            raise UpstreamUnavailable(
                "The keys of the identity provider could not be had; the log says why.", retry_after=PATIENCE
            )

    def _renew(self) -> None:
        try:
            self._keys = self._published()
            self._heard_at = self._clock()
            self._next_at = self._heard_at + self._pause
        except StacbridgeError as failure:
            self._next_at = self._clock() + min(self._pause, PATIENCE)
            log.warning("The keys of %s could not be had: %s", self._issuer, failure)

    def _published(self) -> dict[str, Json]:
        about = self._document(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        place = about.get("jwks_uri")
        if about.get("issuer") != self._issuer or not isinstance(place, str) or not self._may_ask(place):
            raise UpstreamError(
                f"{self._issuer} does not say where its keys are.",
                answered=f"issuer {about.get('issuer')!r}, jwks_uri {place!r}",
                advice="Set oidc_issuer to what the provider states as its issuer, to the letter.",
            )
        keys = self._document(place).get("keys")
        listed = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
        return {str(key.get("kid", "")): key for key in listed if _signs(key)}

    def _may_ask(self, place: str) -> bool:
        """Take keys from the issuer's own server, or another public one; never from inside our network."""
        origin = Origin.of(place)
        return origin is not None and (origin.public or origin == Origin.of(self._issuer))

    def _document(self, url: str) -> Json:
        reply = self._send(Request("GET", url, headers={"Accept": "application/json"}))
        try:
            found = orjson.loads(reply.body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise UpstreamError("The identity provider answered something that is no JSON object.", asked=url)
        return found


def open_issuer(settings: Settings) -> Issuer:
    """Return the provider of the settings. Raises `Misconfigured` where they do not say enough."""
    issuer, audience = settings.oidc_issuer, settings.oidc_audience
    if not issuer or not audience or Origin.of(issuer) is None:
        raise Misconfigured(
            'access is "oidc", and oidc_issuer or oidc_audience is not set, or no URL.',
            advice="Set both: without an audience, tokens for other services would be taken here.",
        )
    brief = {"upstream_deadline": PATIENCE, "read_timeout": PATIENCE, "retries": 1}
    wire = Wire("the identity provider", settings.model_copy(update=brief), Hosts.listed((), (issuer,)))
    return Issuer(issuer, audience, wire.send, settings)


def _algorithm(head: Json) -> str:
    if head.get("alg") not in ALGORITHMS:
        raise _refused("its algorithm is not taken")
    return str(head["alg"])


def _signs(key: Json) -> bool:
    return key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"


def _id(issuer: str, subject: str) -> str:
    """Make the id: nothing of the subject itself, which may be an address, gets into URLs and logs."""
    digest = hashlib.sha256(f"{issuer}\n{subject}".encode()).digest()
    return "o" + b32encode(digest[:15]).decode().lower()


def _name(claims: dict[str, Any]) -> str:
    name = next((claims[each] for each in NAMES if isinstance(claims.get(each), str)), claims["sub"])
    return "".join(sign for sign in name if sign.isprintable())[:LONGEST_NAME]


def _said(error: jwt.PyJWTError) -> str:
    """Return why a token is refused, in words of ours: those of the library may repeat parts of it."""
    kinds = {
        jwt.ImmatureSignatureError: "it is not good yet",
        jwt.InvalidAudienceError: "it is meant for another audience",
        jwt.InvalidIssuerError: "it is of another issuer",
        jwt.MissingRequiredClaimError: f"it lacks one of {', '.join(REQUIRED)}",
        jwt.InvalidSignatureError: "its signature is wrong",
    }
    return next((said for kind, said in kinds.items() if isinstance(error, kind)), "it cannot be read")


def _refused(reason: str, kind: type[Unauthorized] = Unauthorized) -> Unauthorized:
    return kind(
        f"The token is refused: {reason}.", advice="Get a new one from the bridge's identity provider."
    )
