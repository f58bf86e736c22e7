"""How an account logs in: by a second factor where it has one, refused in words that help, no secret told."""

import logging
import traceback
from base64 import b32encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from stacbridge.access import totp
from stacbridge.access.logins import Token
from stacbridge.errors import LoginRefused, Misconfigured, UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.settings import Credentials, Settings
from tests.servers import Answer, Clock, serving
from tests.unit.identity_provider import ACCOUNT, Provider, broker, login

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


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


def test_a_second_factor_is_sent_when_there_is_one() -> None:
    provider = Provider()
    account = ACCOUNT.model_copy(update={"totp_secret": SecretStr(RFC_SECRET)})
    with serving(provider) as server:
        broker(server, Clock(), account, at=59).token()
    assert provider.forms[0]["totp"] == "287082"


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
