"""An OpenID Connect provider on loopback whose keys and words a test decides."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.servers import Answer, Seen, Server, serving

AUDIENCE = "stacbridge"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[str, Any] = {
    "RS256": RSA,
    "PS256": RSA,
    "RS512": RSA,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


class Provider:
    """Publishes the public halves of `keys` (private ones by id), and signs tokens with any of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.url
        self.keys: dict[str, tuple[str, Any]] = {"one": ("RS256", RSA)}
        self.about: dict[str, Any] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.down = False

    @property
    def asked(self) -> int:
        """How often the keys were asked for."""
        return sum(seen.path == "/keys" for seen in self.server.seen)

    def answer(self, seen: Seen) -> Answer:
        if self.down:
            return Answer(500, b"<html>down</html>")
        document = self.about if seen.path.startswith("/.well-known/") else {"keys": self.published()}
        return Answer(200, json.dumps(document).encode())

    def published(self) -> list[dict[str, Any]]:
        return [self.public(id, *pair) for id, pair in self.keys.items()]

    def public(self, id: str, algorithm: str, key: Any) -> dict[str, Any]:
        made = jwt.get_algorithm_by_name(algorithm)
        return {**made.to_jwk(key.public_key(), as_dict=True), "kid": id, "use": "sig"}

    def claims(self, at: float, **changed: Any) -> dict[str, Any]:
        """Return good claims but for `changed`; `None` takes one away."""
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "f:1234:ada",
            "preferred_username": "ada",
            "iat": int(at),
            "exp": int(at) + 600,
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, at: float, kid: str = "one", **changed: Any) -> str:
        algorithm, key = self.keys[kid]
        return jwt.encode(self.claims(at, **changed), key, algorithm, headers={"kid": kid})


@contextmanager
def provider() -> Iterator[Provider]:
    started: list[Provider] = []
    with serving(lambda seen: started[0].answer(seen)) as server:
        started.append(Provider(server))
        yield started[0]
