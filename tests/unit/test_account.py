"""Accounts of other kinds than user name and password: offline tokens, kept refresh tokens, Basic."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from pydantic import SecretStr

from stacbridge.access import registry
from stacbridge.access.account import DAY, expiry
from stacbridge.access.flows import Flow, drive
from stacbridge.access.logins import BEARER, Scheme
from stacbridge.access.signer import Signer
from stacbridge.access.terms import Terms
from stacbridge.errors import Misconfigured, StacbridgeError, UpstreamRefused, UpstreamUnavailable
from stacbridge.mapping.mapping import load
from stacbridge.model import Json, Reply, Request
from stacbridge.settings import Credentials, Settings
from tests.servers import Clock

NOW = 1_800_000_000.0
ENDPOINTS = {"token": "https://iam.example.eu/token", "data": "https://data.example.eu/files"}
FILE = "https://data.example.eu/files/a.tiff"
OFFLINE: Json = {
    "flow": "oidc-offline",
    "client_id": "offline-token",
    "scope": "offline_access openid",
    "endpoints": ["data"],
}


def jwt(**claims: object) -> str:
    parts = (orjson.dumps(part) for part in ({"alg": "none"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), "signature"])


def secret(text: str) -> Credentials:
    return Credentials(refresh_token=SecretStr(text))


def terms(table: Json, account: Credentials) -> Terms:
    return registry.parse("maap", table, ENDPOINTS, account)


class Provider:
    """A token endpoint: what it answers to each form, and the forms that came."""

    def __init__(self, answer: Callable[[dict[str, str]], Reply]) -> None:
        self.answer = answer
        self.forms: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Reply:
        self.forms.append(dict(parse_qsl((request.body or b"").decode())))
        return self.answer(self.forms[-1])


def given(form: dict[str, str]) -> Reply:
    return token(refresh_expires_in=0)


def token(**more: object) -> Reply:
    return Reply(200, {}, orjson.dumps({"access_token": "access", "expires_in": 300, **more}))


def refusing(*tokens: str, status: int = 400) -> Callable[[dict[str, str]], Reply]:
    def answer(form: dict[str, str]) -> Reply:
        if form.get("refresh_token") in tokens:
            return Reply(status, {}, orjson.dumps({"error": "invalid_grant", "error_description": "Gone"}))
        return given(form)

    return answer


def signer(table: Json, account: Credentials, provider: Provider, **more: Any) -> Signer:
    clock = Clock()
    return Signer(terms(table, account), provider, 60, clock=clock, wall=clock, **more)


def test_an_offline_token_is_exchanged_with_the_secret_and_scope_of_its_client() -> None:
    provider = Provider(given)
    account = Credentials(refresh_token=SecretStr("offline"), client_secret=SecretStr("published"))
    assert signer(OFFLINE, account, provider).authorize(FILE) == {"Authorization": "Bearer access"}
    assert provider.forms == [
        {
            "client_id": "offline-token",
            "client_secret": "published",
            "scope": "offline_access openid",
            "grant_type": "refresh_token",
            "refresh_token": "offline",
        }
    ]


def test_without_an_offline_token_its_setting_is_named() -> None:
    with pytest.raises(Misconfigured, match="STACBRIDGE_CREDENTIALS__MAAP__REFRESH_TOKEN"):
        signer(OFFLINE, Credentials(), Provider(given)).authorize(FILE)


@pytest.mark.parametrize("status", [400, 401])
def test_a_dead_offline_token_is_refused_and_a_user_name_is_not_asked_for(status: int) -> None:
    provider = Provider(refusing("offline", status=status))
    account = Credentials(refresh_token=SecretStr("offline"), username="ada", password=SecretStr("canary"))
    with pytest.raises(UpstreamRefused, match=r"stacbridge login maap.*REFRESH_TOKEN") as failure:
        signer(OFFLINE, account, provider).authorize(FILE)
    assert len(provider.forms) == 1
    assert "offline" not in str(failure.value.answered)


def test_a_kept_refresh_token_goes_before_a_password_which_follows_where_it_is_refused() -> None:
    provider = Provider(refusing("kept"))
    table = OFFLINE | {"flow": "oidc-password"}
    account = Credentials(username="ada", password=SecretStr("pass"), refresh_token=SecretStr("kept"))
    assert signer(table, account, provider).authorize(FILE)
    assert [form["grant_type"] for form in provider.forms] == ["refresh_token", "password"]


def test_each_new_refresh_token_is_kept_and_one_that_stays_is_not() -> None:
    told: list[str] = []
    answers = ["new", "new", "newer", "newer"]

    def rotating(form: dict[str, str]) -> Reply:
        return token(refresh_token=answers.pop(0))

    signing = signer(OFFLINE, secret("kept"), Provider(rotating), keep=told.append)
    for _ in range(3):
        signing.reauthorize(FILE, signing.authorize(FILE))
    assert (told, answers) == (["new", "newer"], [])


def test_a_token_is_good_even_where_its_refresh_token_cannot_be_kept() -> None:
    def rotating(form: dict[str, str]) -> Reply:
        return token(refresh_token="new")

    def full(refresh: str) -> None:
        raise Misconfigured("The disk is full.")

    assert signer(OFFLINE, secret("kept"), Provider(rotating), keep=full).authorize(FILE)


@pytest.mark.parametrize(
    ("days", "good", "said"),
    [(90, True, "90 days"), (14.2, True, "14"), (13.4, False, "13"), (-1, False, "ended")],
)
def test_the_end_of_an_offline_token_is_warned_of_two_weeks_before(
    days: float, good: bool, said: str
) -> None:
    (remark,) = terms(OFFLINE, secret(jwt(exp=NOW + days * DAY))).remarks(NOW)
    assert (remark.good, said in remark.said) == (good, True)


@pytest.mark.parametrize("token", ["opaque", "a.b.c", jwt(), jwt(exp=0), jwt(exp="never"), "..", "é.é.é"])
def test_a_token_that_does_not_say_when_it_ends_is_not_judged(token: str) -> None:
    assert expiry(token) is None
    (remark,) = terms(OFFLINE, secret(token)).remarks(NOW)
    assert remark.good is True


def test_basic_sends_user_name_and_password_with_every_request_and_asks_nobody() -> None:
    def nobody(request: Request) -> Reply:
        raise AssertionError("nobody is asked")

    account = Credentials(username="ada", password=SecretStr("pässword"))
    signing = Signer(terms({"flow": "basic", "endpoints": ["data"]}, account), nobody, 60)
    expected = base64.b64encode("ada:pässword".encode()).decode()
    assert signing.authorize(FILE) == {"Authorization": f"Basic {expected}"}
    assert signing.authorize("https://elsewhere.example.eu/") == {}
    assert not signing.expired(Reply(401, {}, b""))


def test_basic_without_an_account_names_the_settings() -> None:
    with pytest.raises(Misconfigured, match=r"MAAP__USERNAME and .*MAAP__PASSWORD not set"):
        signer({"flow": "basic", "endpoints": ["data"]}, Credentials(), Provider(given)).authorize(FILE)


def test_a_catalogue_that_is_open_wants_nothing() -> None:
    open_to_all = terms({"flow": "none"}, Credentials())
    assert not open_to_all.wants_token(FILE)
    assert [remark.good for remark in open_to_all.remarks(NOW)] == [None]


def test_parts_of_a_server_that_are_public_see_no_token() -> None:
    chosen = terms(OFFLINE | {"public": ["/public/"]}, secret("offline"))
    assert chosen.wants_token(FILE)
    assert not chosen.wants_token("https://data.example.eu/files/public/quicklook.jpeg")
    assert chosen.wants_token("https://data.example.eu/files/a.tiff?x=/public/")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"sign_in": ["telepathy"], "flow": "oidc-password"}, "access.sign_in"),
        ({"sign_in": ["browser"], "flow": "oidc-password"}, "authorize"),
        ({"token_page": 7}, "access.token_page"),
        ({"searches": "yes"}, "access.searches"),
        ({"sign_in": ["browser"]}, "access.sign_in"),
    ],
)
def test_nonsense_in_a_flows_table_is_named(wrong: Json, named: str) -> None:
    with pytest.raises(Misconfigured, match=f"maap.toml: .*{named}"):
        terms(OFFLINE | wrong, Credentials())


@pytest.mark.parametrize(
    ("catalogue", "ways", "ends"),
    [
        ("cdse", ("password", "browser"), True),
        ("terrascope", ("browser", "password"), True),
        ("maap", ("token",), False),
    ],
)
def test_shipped_catalogues_say_how_a_person_signs_in(
    catalogue: str, ways: tuple[str, ...], ends: bool
) -> None:
    mapping = load(catalogue, Settings())
    found = registry.parse(catalogue, mapping.access, mapping.endpoints, Credentials())
    assert found.ways == ways
    assert (found.browser is not None) == ("browser" in ways)
    assert (found.token_page is not None) == ("token" in ways)
    assert (found.end is not None) == ends


@pytest.mark.parametrize("scheme", [BEARER, Scheme("Token"), Scheme("", "X-API-Key")])
def test_a_scheme_reads_back_the_token_that_it_wrote(scheme: Scheme) -> None:
    assert scheme.token(scheme.headers("secret")) == "secret"
    assert scheme.token({}) == ""


def test_a_failure_is_raised_where_the_request_was_yielded() -> None:
    def conversation() -> Flow[int]:
        try:
            yield Request("GET", "https://a.example.eu/")
        except UpstreamUnavailable:
            reply: Reply = yield Request("GET", "https://b.example.eu/")
            return reply.status
        return 0

    def send(request: Request) -> Reply:
        if "a.example" in request.url:
            raise UpstreamUnavailable("It is down.")
        return Reply(204, {}, b"")

    assert drive(conversation(), send) == 204


def test_a_failure_that_a_flow_does_not_catch_ends_it() -> None:
    def send(request: Request) -> Reply:
        raise UpstreamUnavailable("It is down.")

    provider = terms(OFFLINE, secret("offline")).login
    assert provider is not None
    with pytest.raises(StacbridgeError, match="It is down"):
        drive(provider.obtain(None, NOW), send)


def test_a_catalogue_whose_client_is_not_published_loads_and_names_the_setting_when_it_is_needed() -> None:
    table = {name: value for name, value in OFFLINE.items() if name != "client_id"}
    with pytest.raises(Misconfigured, match="STACBRIDGE_CREDENTIALS__MAAP__CLIENT_ID"):
        signer(table, secret("offline"), Provider(given)).authorize(FILE)
    remarks = terms(table, secret("offline")).remarks(NOW)
    assert [remark.good for remark in remarks] == [True, False]
    own = Credentials(refresh_token=SecretStr("offline"), client_id="mine")
    provider = Provider(given)
    assert signer(table, own, provider).authorize(FILE)
    assert provider.forms[0]["client_id"] == "mine"
