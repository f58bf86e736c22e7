"""Who is signed in: sessions, access and refresh tokens, with lives counted on the simulator's clock."""

import base64
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from .clock import Clock

AUDIENCE = "CLOUDFERRO_PUBLIC"


@dataclass(slots=True)
class Session:
    """One sign-in; it lives as long as its refresh token."""

    id: str
    user: str
    ends: float
    refresh_tokens: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A token request refused, with the status and the body that Keycloak gives."""

    status: int
    error: str
    description: str


class Sessions:
    """The sign-ins of one simulated account; safe to use from several threads.

    Lives are in seconds. `limit` sessions may be open at once; each password grant opens one.
    """

    def __init__(
        self,
        clock: Clock,
        issuer: str,
        access_life: float = 600,
        refresh_life: float = 3600,
        limit: int = 100,
    ) -> None:
        self.clock = clock
        self.issuer = issuer
        self.access_life = access_life
        self.refresh_life = refresh_life
        self.limit = limit
        self._sessions: dict[str, Session] = {}
        self._access: dict[str, tuple[str, str, float, str]] = {}
        self._lock = threading.Lock()

    def open(self, user: str, audience: str = AUDIENCE) -> dict[str, Any]:
        """Start a session and return its tokens; raises Refusal at the limit."""
        with self._lock:
            self._forget_dead()
            if len(self._sessions) >= self.limit:
                raise Refusal(400, "invalid_grant", "Maximum number of active sessions exceeded")
            session = Session(secrets.token_hex(16), user, self.clock.now() + self.refresh_life)
            self._sessions[session.id] = session
            return self._tokens(session, audience)

    def refresh(self, token: str) -> dict[str, Any]:
        """Give new tokens for a refresh token that still lives; it may be used again."""
        with self._lock:
            self._forget_dead()
            for session in self._sessions.values():
                if token in session.refresh_tokens:
                    return self._tokens(session, AUDIENCE)
        raise Refusal(400, "invalid_grant", "Token is not active")

    def close(self, token: str) -> None:
        """End the session of a refresh or access token; unknown tokens are ignored."""
        with self._lock:
            known = self._access.get(token)
            for session in list(self._sessions.values()):
                if token in session.refresh_tokens or (known and known[0] == session.id):
                    del self._sessions[session.id]

    def count(self) -> int:
        """How many sessions are open."""
        with self._lock:
            self._forget_dead()
            return len(self._sessions)

    def check(self, token: str) -> tuple[str, str] | None:
        """The user of an access token and `live`, `expired` or `audience`; None for a token never given."""
        with self._lock:
            known = self._access.get(token)
            if known is None:
                return None
            session, user, ends, audience = known
            if self.clock.now() >= ends or session not in self._sessions:
                return user, "expired"
            return user, "live" if audience == AUDIENCE else "audience"

    def _forget_dead(self) -> None:
        now = self.clock.now()
        self._sessions = {key: s for key, s in self._sessions.items() if s.ends > now}

    def _tokens(self, session: Session, audience: str) -> dict[str, Any]:
        now = self.clock.now()
        claims = {
            "exp": int(now + self.access_life),
            "iat": int(now),
            "jti": secrets.token_hex(8),
            "iss": self.issuer,
            "aud": [audience, "account"],
            "typ": "Bearer",
            "azp": "cdse-public",
            "sid": session.id,
            "sub": hashlib.sha256(session.user.encode()).hexdigest()[:32],
            "preferred_username": session.user,
        }
        access = signed(claims)
        refresh = secrets.token_urlsafe(48)
        session.refresh_tokens.add(refresh)
        session.ends = now + self.refresh_life
        self._access[access] = (session.id, session.user, now + self.access_life, audience)
        return {
            "access_token": access,
            "expires_in": int(self.access_life),
            "refresh_expires_in": int(self.refresh_life),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": session.id,
            "scope": "AUDIENCE_PUBLIC openid email profile ondemand_processing user-context",
        }


# Signatures ---------------------------------------------------------------------------------------
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


@cache
def _key() -> dict[str, int]:
    numbers = json.loads(files(__package__).joinpath("data", "demo-key.json").read_text(encoding="utf-8"))
    return {name: int(text, 16) for name, text in numbers.items()}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims: dict[str, Any]) -> str:
    """A JSON Web Token signed with RS256 (RFC 7518, 3.3) by the simulator's published key."""
    key = _key()
    head = {"alg": "RS256", "typ": "JWT", "kid": "simulator"}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
    length = (key["modulus"].bit_length() + 7) // 8
    digest = _SHA256_PREFIX + hashlib.sha256(text.encode()).digest()
    padded = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
    signature = pow(int.from_bytes(padded), key["exponent"], key["modulus"])
    return f"{text}.{_encoded(signature.to_bytes(length))}"


def key_set() -> dict[str, Any]:
    """The public key as a JSON Web Key Set."""
    modulus = _key()["modulus"]
    number = _encoded(modulus.to_bytes((modulus.bit_length() + 7) // 8))
    return {
        "keys": [{"kid": "simulator", "kty": "RSA", "alg": "RS256", "use": "sig", "n": number, "e": "AQAB"}]
    }
