"""Tokens under any order of use, time, revocation and outage."""

from urllib.parse import parse_qs

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from pydantic import SecretStr

from stacbridge.access.account import Account
from stacbridge.access.oidc import OidcLogin
from stacbridge.access.tokens import TokenBroker
from stacbridge.errors import UpstreamUnavailable
from stacbridge.model import Reply, Request
from stacbridge.settings import Credentials
from tests.servers import Clock

LIFE, REFRESH_LIFE = 600, 3600


class Provider:
    """Knows when each token ends; a refresh token may be used again until it ends or its session does."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.down = False
        self.access: dict[str, float] = {}
        self.refresh: dict[str, float] = {}
        self.asked = 0

    def __call__(self, request: Request) -> Reply:
        self.asked += 1
        if self.down:
            return Reply(503, {}, b"")
        form = {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}
        if (
            form["grant_type"] == "refresh_token"
            and self.refresh.get(form["refresh_token"], 0) <= self.clock.now
        ):
            return Reply(400, {}, b'{"error":"invalid_grant","error_description":"Token is not active"}')
        access, refresh = f"access-{self.asked}", f"refresh-{self.asked}"
        self.access[access] = self.clock.now + LIFE
        self.refresh[refresh] = self.clock.now + REFRESH_LIFE
        token = {
            "access_token": access,
            "expires_in": LIFE,
            "refresh_token": refresh,
            "refresh_expires_in": REFRESH_LIFE,
        }
        return Reply(200, {}, orjson.dumps(token))

    def live(self, token: str) -> bool:
        return self.access.get(token, 0) > self.clock.now


class Tokens(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.provider = Provider(self.clock)
        account = Credentials(username="ada", password=SecretStr("canary"))
        login = OidcLogin(Account("cdse", account), "https://a.eu/token", "cdse-public")
        self.broker = TokenBroker(login, self.provider, 60, clock=self.clock, wall=self.clock)
        self.held: str | None = None

    @rule(seconds=st.integers(1, 5000))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(down=st.booleans())
    def the_provider_goes_down_or_up(self, down: bool) -> None:
        self.provider.down = down

    @rule()
    def the_session_is_ended(self) -> None:
        self.provider.access.clear()
        self.provider.refresh.clear()

    def rests(self) -> bool:
        """Tell whether the provider failed so short a time ago that it is left alone."""
        return self.broker.failure() is not None

    @rule()
    def a_download_uses_the_token(self) -> None:
        """What a download does: use a token, and ask for another one once where that is refused."""
        before = self.provider.asked
        try:
            self.held = self.broker.token()
            if not self.provider.live(self.held):
                self.held = self.broker.renewed(self.held)
        except UpstreamUnavailable:
            assert self.provider.down or self.rests()
            return
        assert self.provider.live(self.held)
        assert self.provider.asked - before <= 2

    @rule()
    def a_straggler_was_refused_with_an_old_token(self) -> None:
        """Who was refused with a token that was replaced since costs nothing while the new one is good."""
        try:
            current = self.broker.token()
            before = self.provider.asked
            assert self.broker.renewed("access-0") == current
        except UpstreamUnavailable:
            assert self.provider.down or self.rests()
            return
        assert self.provider.asked - before <= (1 if self.provider.down else 0)


Tokens.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestTokens = Tokens.TestCase
