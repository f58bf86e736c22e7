import json
from collections.abc import Iterator

import pytest
import requests

from stacbridge.simulators import CdseSimulator, ManualClock

from .conftest import bearer, products, sign_in

SMALL = 1000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(clock: ManualClock) -> Iterator[CdseSimulator]:
    with CdseSimulator(SMALL, clock=clock, session_limit=3) as running:
        yield running


def refresh(simulator: CdseSimulator, token: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "cdse-public"}
    return requests.post(simulator.token_url, data=form, timeout=10)


def download(simulator: CdseSimulator, token: str) -> requests.Response:
    product = products(simulator, filter="Online eq true", top=1)["value"][0]
    url = f"{simulator.download_url}/Products({product['Id']})/$value"
    return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)


def test_a_password_gives_tokens_with_their_lives(simulator: CdseSimulator) -> None:
    tokens = sign_in(simulator).json()
    assert (tokens["expires_in"], tokens["refresh_expires_in"], tokens["token_type"]) == (600, 3600, "Bearer")
    assert download(simulator, tokens["access_token"]).status_code == 200


def test_a_wrong_password_is_refused_as_keycloak_refuses_it(simulator: CdseSimulator) -> None:
    answer = sign_in(simulator, password="wrong")
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_grant", "error_description": "Invalid user credentials"}


def test_an_account_with_a_second_factor_needs_the_code() -> None:
    with CdseSimulator(SMALL, totp="123456") as simulator:
        assert sign_in(simulator).json()["error_description"] == "Invalid user credentials"
        assert sign_in(simulator, totp="000000").status_code == 401
        assert sign_in(simulator, totp="123456").status_code == 200


def test_an_access_token_expires_on_the_clock_and_a_refresh_renews_it(
    simulator: CdseSimulator, clock: ManualClock
) -> None:
    tokens = sign_in(simulator).json()
    clock.advance(600)
    refused = download(simulator, tokens["access_token"])
    assert (refused.status_code, refused.json()["code"]) == (401, "DAT-ZIP-109")
    for _ in range(2):
        renewed = refresh(simulator, tokens["refresh_token"])
        assert download(simulator, renewed.json()["access_token"]).status_code == 200


def test_a_dead_refresh_token_is_refused(simulator: CdseSimulator, clock: ManualClock) -> None:
    tokens = sign_in(simulator).json()
    clock.advance(3600)
    answer = refresh(simulator, tokens["refresh_token"])
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_grant", "error_description": "Token is not active"}


def test_sessions_are_limited_until_one_ends(simulator: CdseSimulator, clock: ManualClock) -> None:
    tokens = [sign_in(simulator).json() for _ in range(3)]
    assert simulator.sessions.count() == 3
    assert sign_in(simulator).status_code == 400
    logout = simulator.token_url.replace("/token", "/logout")
    requests.post(logout, data={"refresh_token": tokens[0]["refresh_token"]}, timeout=10)
    assert sign_in(simulator).status_code == 200
    clock.advance(3601)
    assert simulator.sessions.count() == 0


def test_revoking_a_token_ends_its_session(simulator: CdseSimulator) -> None:
    tokens = sign_in(simulator).json()
    revoke = simulator.token_url.replace("/token", "/revoke")
    requests.post(revoke, data={"token": tokens["access_token"]}, timeout=10)
    assert download(simulator, tokens["access_token"]).status_code == 401
    assert refresh(simulator, tokens["refresh_token"]).status_code == 400


def test_a_token_of_another_audience_cannot_download(simulator: CdseSimulator) -> None:
    form = {"grant_type": "client_credentials", "client_id": "sh-demo", "client_secret": "any"}
    token = requests.post(simulator.token_url, data=form, timeout=10).json()["access_token"]
    answer = download(simulator, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "DAT-ZIP-609")


def test_no_token_and_a_made_up_token_are_told_apart(simulator: CdseSimulator) -> None:
    url = f"{simulator.download_url}/Products({products(simulator, top=1)['value'][0]['Id']})/$value"
    assert requests.get(url, timeout=10).json()["code"] == "DAT-ZIP-604"
    assert requests.get(f"{url}?token=made-up", timeout=10).json()["code"] == "DAT-ZIP-109"


def test_a_token_may_come_in_the_query(simulator: CdseSimulator) -> None:
    product = products(simulator, filter="Online eq true", top=1)["value"][0]
    token = sign_in(simulator).json()["access_token"]
    url = f"{simulator.download_url}/Products({product['Id']})/$value?token={token}"
    assert requests.get(url, timeout=10).status_code == 200


@pytest.mark.parametrize(
    "form", [{}, {"grant_type": "telepathy"}, {"grant_type": "password", "client_id": "other"}]
)
def test_nonsense_at_the_token_endpoint_is_an_error_and_counted(
    simulator: CdseSimulator, form: dict[str, str]
) -> None:
    before = simulator.token_requests
    assert requests.post(simulator.token_url, data=form, timeout=10).status_code in (400, 401)
    assert simulator.token_requests == before + 1


def test_tokens_are_signed_by_the_published_key(simulator: CdseSimulator) -> None:
    jwt = pytest.importorskip("jwt", reason="PyJWT is not installed")
    realm = simulator.token_url.removesuffix("/protocol/openid-connect/token")
    discovery = requests.get(f"{realm}/.well-known/openid-configuration", timeout=10).json()
    assert discovery["issuer"] == realm
    assert discovery["token_endpoint"] == simulator.token_url
    (key,) = requests.get(discovery["jwks_uri"], timeout=10).json()["keys"]
    token = bearer(simulator)["Authorization"].removeprefix("Bearer ")
    payload = jwt.PyJWS().decode_complete(token, jwt.PyJWK(key), algorithms=["RS256"])["payload"]
    assert json.loads(payload)["preferred_username"] == simulator.username
