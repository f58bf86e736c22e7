"""Tokens of an identity provider: which are taken, and how often it is asked for its keys."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacbridge.callers.oidc import Issuer
from stacbridge.errors import Misconfigured, Unauthorized, UpstreamUnavailable
from stacbridge.settings import Settings
from stacbridge.simulators import CdseSimulator
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.api.serving import Products
from tests.callers.bridges import guarded
from tests.callers.issuer import AUDIENCE, KEYS, RSA, Provider, provider
from tests.servers import Clock


@pytest.fixture
def idp() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def known() -> Iterator[tuple[Provider, Issuer]]:
    """A provider whose keys are known."""
    with provider() as running:
        door = issuer(running)
        door.principal(running.token(time.time()))
        yield running, door


def issuer(idp: Provider, clock: Clock | None = None) -> Issuer:
    settings = Settings(retries=0)
    wire = Wire("the identity provider", settings, Hosts.listed((), (idp.url,)))
    return Issuer(idp.url, AUDIENCE, wire.send, settings, clock=clock or Clock())


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_is_taken_with_any_public_key_signature(idp: Provider, algorithm: str) -> None:
    idp.keys["one"] = (algorithm, KEYS[algorithm])
    holder = issuer(idp).principal(idp.token(time.time()))
    assert (holder.name, holder.mode, holder.known) == ("ada", "oidc", True)


def test_the_id_is_of_issuer_and_subject_and_shows_neither(idp: Provider) -> None:
    door = issuer(idp)
    one, again, other = (
        door.principal(idp.token(time.time(), sub=sub, preferred_username=name))
        for sub, name in (("a", "ada"), ("a", "renamed"), ("b", "ada"))
    )
    assert one.id == again.id != other.id
    assert one.id.startswith("o") and one.id.isalnum() and len(one.id) == 25


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": time.time() - 61}, "it has ended"),
        ({"nbf": time.time() + 3600}, "it is not good yet"),
        ({"aud": "another"}, "another audience"),
        ({"aud": ["account", "another"]}, "another audience"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"sub": None}, "it lacks one of"),
        ({"exp": None}, "it lacks one of"),
        ({"aud": None}, "it lacks one of"),
        ({"padding": "x" * 9000}, "it is too long"),
    ],
)
def test_a_token_that_is_not_for_here_and_now_is_refused(
    idp: Provider, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unauthorized, match=reason):
        issuer(idp).principal(idp.token(time.time(), **changed))


def test_clocks_may_differ_by_a_minute(idp: Provider) -> None:
    token = idp.token(time.time(), exp=time.time() - 50, nbf=time.time() + 50)
    assert issuer(idp).principal(token).known


def forged(idp: Provider) -> dict[str, str]:
    """Return tokens that somebody made who has no key of the provider."""
    claims = idp.claims(time.time())
    good = idp.token(time.time())
    public = idp.public("one", *idp.keys["one"])
    other = KEYS["ES256"]
    head, body, mark = good.split(".")
    return {
        "unsigned": jwt.encode(claims, "", "none", headers={"kid": "one"}),
        "with the public key as a shared secret": jwt.encode(
            claims, public["n"].encode(), "HS256", headers={"kid": "one"}
        ),
        "with a key of one's own": jwt.encode(claims, other, "ES256", headers={"kid": "one"}),
        "with a key that it brings": jwt.encode(
            claims, other, "ES256", headers={"kid": "mine", "jwk": idp.public("mine", "ES256", other)}
        ),
        "with the body changed": f"{head}.{body[:-2]}AA.{mark}",
        "with the signature cut": f"{head}.{body}.",
        "not a token": "canary",
        "not even text": "\xff.\x00.",
    }


def test_no_forged_token_is_taken(idp: Provider) -> None:
    door = issuer(idp)
    for what, token in forged(idp).items():
        with pytest.raises(Unauthorized) as refused:
            door.principal(token)
        assert "canary" not in str(refused.value), what


words = st.none() | st.booleans() | st.integers() | st.sampled_from(["one", "RS256", "none", "HS256"])
heads: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"]), words | st.lists(words) | st.just({})
)


@settings(deadline=None)
@given(head=heads)
def test_no_head_of_a_token_breaks_the_door(known: tuple[Provider, Issuer], head: dict[str, Any]) -> None:
    idp, door = known
    _, body, mark = idp.token(time.time()).split(".")
    made = base64.urlsafe_b64encode(json.dumps(head).encode()).rstrip(b"=").decode()
    with pytest.raises(Unauthorized):
        door.principal(f"{made}.{body}.{mark}")


def test_a_key_for_encryption_or_a_shared_one_is_none_that_signs(idp: Provider) -> None:
    for change in ({"use": "enc"}, {"kty": "oct", "k": "AAAA"}):
        document = {**idp.public("one", "RS256", RSA), **change}
        idp.published = lambda document=document: [document]  # type: ignore[method-assign,misc]
        with pytest.raises((Unauthorized, UpstreamUnavailable)):
            issuer(idp).principal(idp.token(time.time()))


def test_keys_are_asked_for_once_and_again_when_old(idp: Provider) -> None:
    clock = Clock()
    door = issuer(idp, clock)
    for _ in range(3):
        door.principal(idp.token(time.time()))
    assert idp.asked == 1
    clock.now += 3601
    door.principal(idp.token(time.time()))
    assert idp.asked == 2


def test_a_new_key_is_taken_at_once_and_the_one_that_went_no_more(idp: Provider) -> None:
    clock = Clock()
    door = issuer(idp, clock)
    before = idp.token(time.time())
    door.principal(before)
    idp.keys = {"two": ("ES256", KEYS["ES256"])}
    clock.now += 61
    assert door.principal(idp.token(time.time(), "two")).known
    with pytest.raises(Unauthorized):
        door.principal(before)


def test_made_up_keys_do_not_make_the_bridge_ask_again_and_again(idp: Provider) -> None:
    door = issuer(idp)
    door.principal(idp.token(time.time()))
    for number in range(50):
        token = jwt.encode(idp.claims(time.time()), RSA, "RS256", headers={"kid": f"made-up-{number}"})
        with pytest.raises(Unauthorized):
            door.principal(token)
    assert idp.asked == 1


def test_known_keys_hold_while_the_provider_is_down(idp: Provider) -> None:
    clock = Clock()
    door = issuer(idp, clock)
    door.principal(idp.token(time.time()))
    idp.down = True
    clock.now += 4000
    assert door.principal(idp.token(time.time())).known


def test_without_any_key_the_bridge_says_503_and_recovers(idp: Provider) -> None:
    clock = Clock()
    door = issuer(idp, clock)
    idp.down = True
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            door.principal(idp.token(time.time()))
    assert len(idp.server.seen) == 1
    idp.down = False
    clock.now += 11
    assert door.principal(idp.token(time.time())).known


def test_two_hundred_tokens_at_once_ask_for_the_keys_once(idp: Provider) -> None:
    door, token = issuer(idp), idp.token(time.time())
    known: list[bool] = []
    threads = [threading.Thread(target=lambda: known.append(door.principal(token).known)) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (known, idp.asked) == ([True] * 200, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"jwks_uri": "http://127.0.0.1:1/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
def test_keys_are_taken_only_from_where_the_provider_may_keep_them(
    idp: Provider, changed: dict[str, Any]
) -> None:
    idp.about |= changed
    with pytest.raises(UpstreamUnavailable):
        issuer(idp).principal(idp.token(time.time()))
    assert idp.asked == 0


@pytest.mark.parametrize(
    "lacking",
    [
        {},
        {"oidc_issuer": "https://id.example"},
        {"oidc_audience": "a"},
        {"oidc_issuer": "id", "oidc_audience": "a"},
    ],
)
def test_a_mode_without_its_settings_does_not_start(tmp_path: Path, lacking: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="oidc_issuer"), guarded(tmp_path, access="oidc", **lacking):
        pass


def test_a_token_opens_the_bridge_in_each_way_and_a_person_can_be_revoked(
    idp: Provider, tmp_path: Path
) -> None:
    with guarded(tmp_path, access="oidc", oidc_issuer=idp.url, oidc_audience=AUDIENCE) as bridge:
        token = idp.token(time.time())
        asset = bridge.asset(token)
        plain = asset["alternate"]["unsigned"]["href"]
        assert bridge.ask(plain).status_code == bridge.ask(plain, key=bridge.key).status_code == 401
        assert bridge.ask(plain, key=token).content == Products.content
        assert bridge.ask(plain, auth=("ada", token)).content == Products.content
        assert bridge.ask(asset["href"]).content == Products.content
        schemes = bridge.ask("/search?limit=1").json()["features"][0]["properties"]["auth:schemes"]
        assert schemes["bridge-oidc"] == {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{idp.url}/.well-known/openid-configuration",
        }
        id = asset["href"].partition("?t=")[2].split(".")[3]
        bridge.keys.revoke(id)
        assert bridge.ask(asset["href"]).json()["code"] == "SignatureRevoked"
        assert bridge.ask(plain, key=token).status_code == 401


def test_tokens_of_a_simulated_keycloak_are_taken(tmp_path: Path) -> None:
    with CdseSimulator(size=1000) as simulator:
        tokens = simulator.sessions.open(simulator.username)
        realm = simulator.identity.realm_url
        named = {"oidc_issuer": realm, "oidc_audience": "CLOUDFERRO_PUBLIC"}
        with guarded(tmp_path, access="oidc", **named) as bridge:
            assert bridge.ask("/search", key=tokens["access_token"]).status_code == 200
            assert "?t=" in bridge.asset(tokens["access_token"])["href"]
            assert bridge.ask("/search", key=tokens["refresh_token"]).status_code == 401
