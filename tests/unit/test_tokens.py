"""Tokens against a scripted identity provider on loopback."""

import logging
import threading
import traceback
from base64 import b32encode
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from stacbridge.access import totp
from stacbridge.access.account import Account
from stacbridge.access.logins import Token
from stacbridge.access.oidc import OidcLogin
from stacbridge.access.tokens import TokenBroker
from stacbridge.errors import LoginRefused, Misconfigured, UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.settings import Credentials, Settings
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.servers import Answer, Clock, Seen, Server, serving

ACCOUNT = Credentials(username="ada", password=SecretStr("canary-password"))
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


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


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(at: float, code: str) -> None:
    assert totp.code(RFC_SECRET, at) == code


@given(st.binary(min_size=1, max_size=40), st.floats(0, 1e10))
def test_a_secret_means_the_same_however_it_is_written(key: bytes, at: float) -> None:
    secret = b32encode(key).decode()
    spaced = " ".join(secret.rstrip("=").lower()[i : i + 4] for i in range(0, len(secret), 4))
    assert totp.code(spaced, at) == totp.code(secret, at)


def test_a_token_is_asked_for_once_and_kept() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        assert [keeper.token(), keeper.token()] == ["canary-access-1"] * 2
    assert provider.forms == [
        {
            "client_id": "cdse-public",
            "grant_type": "password",
            "username": "ada",
            "password": "canary-password",
        }
    ]
    assert server.seen[0].path == "/token"


def test_a_token_is_renewed_before_its_end_and_by_refresh() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        clock.now += 539
        assert keeper.token() == "canary-access-1"
        clock.now += 1
        assert keeper.token() == "canary-access-2"
    assert provider.grants == ["password", "refresh_token"]
    assert provider.forms[1]["refresh_token"] == "canary-refresh-1"


def test_a_token_shorter_than_the_margin_is_used_for_half_its_life() -> None:
    provider, clock = Provider(), Clock()
    provider.life = 20
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        clock.now += 9
        assert keeper.token() == "canary-access-1"
        clock.now += 1
        assert keeper.token() == "canary-access-2"


def test_an_old_refresh_token_is_not_even_tried() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        clock.now += 3600
        keeper.token()
    assert provider.grants == ["password", "password"]


def test_a_dead_refresh_token_falls_back_to_the_password() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        provider.revoked = True
        clock.now += 590
        assert keeper.token() == "canary-access-3"
    assert provider.grants == ["password", "refresh_token", "password"]


def test_a_second_factor_is_sent_when_there_is_one() -> None:
    provider = Provider()
    account = ACCOUNT.model_copy(update={"totp_secret": SecretStr(RFC_SECRET)})
    with serving(provider) as server:
        broker(server, Clock(), account, at=59).token()
    assert provider.forms[0]["totp"] == "287082"


def test_many_threads_at_expiry_cost_one_token() -> None:
    provider, clock = Provider(), Clock()
    provider.hold = threading.Event()
    start = threading.Barrier(51)
    with serving(provider) as server, ThreadPoolExecutor(50) as threads:
        keeper = broker(server, clock)

        def ask() -> str:
            start.wait()
            return keeper.token()

        asked = [threads.submit(ask) for _ in range(50)]
        start.wait()
        provider.hold.set()
        assert {future.result() for future in asked} == {"canary-access-1"}
    assert provider.grants == ["password"]


def test_many_threads_that_were_refused_cost_one_token() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server, ThreadPoolExecutor(50) as threads:
        keeper = broker(server, clock)
        refused = keeper.token()
        assert set(threads.map(keeper.renewed, [refused] * 200)) == {"canary-access-2"}
    assert provider.grants == ["password", "refresh_token"]


def test_a_failure_reaches_all_who_wait_and_the_provider_rests_a_moment() -> None:
    provider, clock = Provider(), Clock()
    provider.fault = Answer(503, hold=threading.Event())
    start = threading.Barrier(9)
    with serving(provider) as server, ThreadPoolExecutor(8) as threads:
        keeper = broker(server, clock)

        def ask() -> str:
            start.wait()
            return keeper.token()

        asked = [threads.submit(ask) for _ in range(8)]
        start.wait()
        assert provider.fault.hold is not None
        provider.fault.hold.set()
        assert {type(future.exception()) for future in asked} == {UpstreamUnavailable}
        provider.fault = None
        calls = len(provider.forms)
        with pytest.raises(UpstreamUnavailable):
            keeper.token()
        assert len(provider.forms) == calls
        clock.now += 1
        assert keeper.token().startswith("canary-access-")


def test_a_good_token_is_given_out_while_the_provider_is_down() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        keeper.token()
        provider.fault = Answer(503)
        clock.now += 590
        assert keeper.token() == "canary-access-1"
        clock.now += 10
        with pytest.raises(UpstreamUnavailable):
            keeper.token()


def test_a_refused_token_is_never_given_out_again() -> None:
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        refused = keeper.token()
        provider.fault = Answer(503)
        with pytest.raises(UpstreamUnavailable):
            keeper.renewed(refused)
        with pytest.raises(UpstreamUnavailable):
            keeper.token()
        provider.fault = None
        clock.now += 1
        assert keeper.token() != refused


def test_a_refused_account_is_told_which_settings_to_check() -> None:
    wrong = Credentials(username="ada", password=SecretStr("canary-wrong"))
    with serving(Provider()) as server, pytest.raises(UpstreamRefused) as caught:
        broker(server, Clock(), wrong).token()
    told = str(caught.value)
    assert "HTTP 401: invalid_grant: Invalid user credentials" in told
    for name in ("USERNAME", "PASSWORD", "TOTP_SECRET"):
        assert f"STACBRIDGE_CREDENTIALS__CDSE__{name}" in told


def test_a_refused_second_factor_brings_the_clock_to_mind() -> None:
    account = Credentials(
        username="ada", password=SecretStr("canary-wrong"), totp_secret=SecretStr(RFC_SECRET)
    )
    with serving(Provider()) as server, pytest.raises(UpstreamRefused, match="this machine's clock is right"):
        broker(server, Clock(), account).token()


def test_too_many_sessions_are_told_apart_from_a_wrong_password() -> None:
    provider = Provider()
    provider.fault = Answer(
        400, b'{"error":"invalid_grant","error_description":"Maximum number of active sessions exceeded"}'
    )
    with serving(provider) as server, pytest.raises(UpstreamUnavailable, match="too many sessions"):
        broker(server, Clock()).token()


@pytest.mark.parametrize(
    ("account", "missing"),
    [
        (Credentials(), ["USERNAME", "PASSWORD"]),
        (Credentials(username="ada"), ["PASSWORD"]),
        (Credentials(password=SecretStr("canary")), ["USERNAME"]),
    ],
)
def test_an_account_that_is_not_set_is_named_and_nobody_is_asked(
    account: Credentials, missing: list[str]
) -> None:
    provider = Provider()
    with serving(provider) as server, pytest.raises(Misconfigured) as caught:
        broker(server, Clock(), account).token()
    named = [
        name
        for name in ("USERNAME", "PASSWORD")
        if f"STACBRIDGE_CREDENTIALS__CDSE__{name}" in str(caught.value)
    ]
    assert (named, provider.forms) == (missing, [])


def test_a_secret_that_is_not_base32_is_named() -> None:
    account = ACCOUNT.model_copy(update={"totp_secret": SecretStr("canary-1890!")})
    with serving(Provider()) as server, pytest.raises(Misconfigured, match="CDSE__TOTP_SECRET") as caught:
        broker(server, Clock(), account).token()
    assert "canary" not in str(caught.value.body())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}), UpstreamUnavailable),
        (Answer(body=b'{"access_token": "canary-access"'), UpstreamUnavailable),
        (Answer(body=b'{"access_token": 7, "expires_in": 600}'), UpstreamUnavailable),
        (Answer(body=b'{"access_token": "canary-access"}'), UpstreamUnavailable),
        (Answer(400, b'{"error":"unauthorized_client"}'), LoginRefused),
        (Answer(404, b"canary-password is not here"), LoginRefused),
        (Answer(429, b"canary-password"), UpstreamUnavailable),
        (Answer(500, b"canary-password"), UpstreamUnavailable),
        (Answer(307, headers={"Location": "https://evil.example.org/token"}), UpstreamUnavailable),
    ],
)
def test_what_is_no_token_is_a_failure_that_repeats_no_secret(
    answer: Answer, kind: type[UpstreamError]
) -> None:
    provider = Provider()
    provider.fault = answer
    with serving(provider) as server, pytest.raises(UpstreamError) as caught:
        broker(server, Clock()).token()
    assert type(caught.value) is kind
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_no_secret_is_logged_shown_or_put_into_a_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider, clock = Provider(), Clock()
    with serving(provider) as server:
        keeper = broker(server, clock)
        refused = keeper.token()
        provider.revoked = True
        keeper.renewed(refused)
        provider.fault = Answer(401, b'{"error":"invalid_grant","error_description":"canary-password"}')
        clock.now += 4000
        with pytest.raises(UpstreamRefused) as caught:
            keeper.token()
        settings = Settings(credentials={"cdse": ACCOUNT})
        shown = " ".join(map(repr, (keeper, login(server.url), Token("canary", 1, "canary"), settings)))
    told = "".join(traceback.format_exception(caught.value)) + str(caught.value.body())
    urls = " ".join(seen.path for seen in server.seen)
    assert "canary" not in caplog.text + shown + told + urls
