"""The bridge's doors: which way a caller came, and whether they are let in."""

import binascii
import hmac
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING

from stacbridge.callers.failures import Failures
from stacbridge.callers.keys import Keys
from stacbridge.callers.principal import Principal
from stacbridge.callers.signing import Signing
from stacbridge.errors import Forbidden, SignatureRevoked, TokenExpired, Unauthorized
from stacbridge.settings import Settings

if TYPE_CHECKING:
    from stacbridge.callers.oidc import Issuer

OPEN = re.compile(r"/|/conformance|/api|/api\.html|/healthz|/readyz")
"""Paths that everybody may ask for: what the API is, and whether it works."""
SEARCHES = re.compile(r"/(?:collections(?:/.*)?|search|queryables|sortables)", re.DOTALL)
"""Paths that cost no quota."""


class Doors:
    """Tells who comes, in the mode that the settings choose. Blocks: files are read, a provider is asked.

    Raises `Misconfigured` for settings that cannot work.
    """

    def __init__(self, settings: Settings, *, wall: Callable[[], float] = time.time) -> None:
        self.mode = settings.access
        self.issuer = settings.oidc_issuer if self.mode == "oidc" else None
        self.signs = self.closed and settings.sign_hrefs
        self.signing = Signing(
            _signing_keys(settings), settings.sign_seconds, settings.clock_tolerance, wall=wall
        )
        self._keys = Keys(settings.key_folder, wall=wall)
        self._tokens = _issuer(settings) if self.mode == "oidc" else None
        self._failures = Failures(
            settings.login_failures, settings.login_failure_seconds, settings.login_failures_kept
        )
        self._searches_are_open = not settings.protect_searches

    @property
    def closed(self) -> bool:
        """Whether there is anything that not everybody may do."""
        return self.mode != "open"

    def is_public(self, path: str) -> bool:
        """Tell whether a path, as the API's routes know it, is for everybody; what is not listed is not."""
        if not self.closed or OPEN.fullmatch(path):
            return True
        return self._searches_are_open and SEARCHES.fullmatch(path) is not None

    def caller(self, authorization: str, address: str) -> Principal:
        """Return who sends an Authorization header to a closed bridge, from `address`.

        Raises `Unauthorized` for one that opens nothing, `TooManyRequests` where too many did not.
        """
        user, credential = _credential(authorization)
        name = user if self._tokens else Keys.claimed(credential) or user
        self._failures.check(address, name)
        try:
            return self._holder(credential)
        except TokenExpired:
            raise  # nobody guesses a token of the provider's, and its holder may ask many times
        except Unauthorized:
            self._failures.count(address, name)
            raise

    def caller_of(self, path: bytes, token: str, authorization: str | None, address: str) -> Principal:
        """Return for whom a path was signed; where it was not, who sends the Authorization header.

        Raises `SignatureInvalid`, `SignatureExpired` and `SignatureRevoked`, each a `Forbidden`; as `caller`.
        """
        try:
            id = self.signing.principal_id(path, token)
            if not self._may_enter(id):
                raise SignatureRevoked("Whoever this URL was signed for is let in no more.")
            return Principal(id, id, "signed")
        except Forbidden:
            if authorization is None:
                raise
            return self.caller(authorization, address)

    def _holder(self, credential: str) -> Principal:
        principal = (
            self._keys.holder(credential) if self._tokens is None else self._tokens.principal(credential)
        )
        if principal is None or not self._may_enter(principal.id):
            raise Unauthorized("The credential is not one that opens this bridge, or was revoked.")
        return principal

    def _may_enter(self, id: str) -> bool:
        return self._keys.may_enter(id, listed=self.mode == "keys")


def demand() -> Unauthorized:
    """Make the refusal of those who did not say who they are."""
    return Unauthorized(
        "The bridge must know who asks for this.",
        advice="Send `Authorization: Bearer` with your API key or token, or Basic with it as the password.",
    )


def _credential(authorization: str) -> tuple[str | None, str]:
    """Return the user name, where there is one, and the key or token: that of Bearer, or Basic's password."""
    scheme, _, words = authorization.partition(" ")
    words = words.strip()
    if scheme.lower() == "bearer" and words:
        return None, words
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(words, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            user = password = ""
        if password:
            return user or None, password
    raise Unauthorized(
        "The Authorization header cannot be read.",
        advice="Send Bearer, or Basic with the key as the password.",
    )


def _issuer(settings: Settings) -> "Issuer":
    # Imported where tokens are taken, for what it needs takes a tenth of a second.
    from stacbridge.callers.oidc import open_issuer

    return open_issuer(settings)


def _signing_keys(settings: Settings) -> list[bytes]:
    """Return the keys, the newest first; with `secret`, also that which signed before there were others."""
    given = [key.get_secret_value().encode() for key in settings.signing_keys]
    if given and not settings.secret:
        return given
    secret = settings.secret.get_secret_value().encode() if settings.secret else secrets.token_bytes(32)
    return [*given, hmac.digest(secret, b"hrefs", "sha256")]
