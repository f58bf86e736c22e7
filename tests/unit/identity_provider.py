"""An identity provider on loopback, scripted, and the broker of an account's tokens there."""

import threading
from urllib.parse import parse_qs

import orjson
from pydantic import SecretStr

from stacbridge.access.account import Account
from stacbridge.access.oidc import OidcLogin
from stacbridge.access.tokens import TokenBroker
from stacbridge.settings import Credentials, Settings
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.servers import Answer, Clock, Seen, Server

ACCOUNT = Credentials(username="ada", password=SecretStr("canary-password"))


class Provider:
    """An identity provider: numbers its tokens, forgets refresh tokens when `revoked`, fails with `fault`."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.life = 600
        self.refresh_life = 3600
        self.revoked = False
        self.fault: Answer | None = None
        self.hold: threading.Event | None = None

    def __call__(self, seen: Seen) -> Answer:
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        self.forms.append(form)
        if self.fault is not None:
            return self.fault
        if form["grant_type"] == "refresh_token" and self.revoked:
            return Answer(400, b'{"error":"invalid_grant","error_description":"Token is not active"}')
        if form.get("password", "canary-password") != "canary-password":
            return Answer(401, b'{"error":"invalid_grant","error_description":"Invalid user credentials"}')
        number = len(self.forms)
        token = {
            "access_token": f"canary-access-{number}",
            "expires_in": self.life,
            "refresh_token": f"canary-refresh-{number}",
            "refresh_expires_in": self.refresh_life,
            "token_type": "Bearer",
        }
        return Answer(body=orjson.dumps(token), hold=self.hold)

    @property
    def grants(self) -> list[str]:
        return [form["grant_type"] for form in self.forms]


def login(url: str, account: Credentials = ACCOUNT) -> OidcLogin:
    return OidcLogin(Account("cdse", account), f"{url}/token", "cdse-public")


def broker(server: Server, clock: Clock, account: Credentials = ACCOUNT, at: float = 59) -> TokenBroker:
    wire = Wire("cdse", Settings(), Hosts.listed([]), clock=clock, sleep=clock.sleep)
    return TokenBroker(login(server.url, account), wire.exchange, 60, clock=clock, wall=lambda: at)
