"""Callers' own accounts, over HTTP: each gets their own bytes, and nobody reads a secret."""

import base64
import io
import logging
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from stacbridge.app import create_app
from stacbridge.callers.keys import Keys
from stacbridge.callers.principal import acting
from tests.api.serving import running
from tests.callers.accounts import USERS, Place, account, principal, token_of

TIMEOUT = 20


@dataclass(frozen=True)
class Caller:
    """A person with a key of the bridge."""

    url: str
    name: str
    key: str

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=TIMEOUT, **more)

    def bring(self, **account: str) -> requests.Response:
        return self.ask("PUT", "/account/toy", json=account)

    def product(self, user: str) -> str:
        return f"/assets/toy/toys/TOY_{user}/product/TOY_{user}.SAFE.zip"


@contextmanager
def served(place: Place) -> Iterator[dict[str, Caller]]:
    keys = Keys(place.folder / "keys")
    with running(create_app(place.settings())) as url:
        yield {user: Caller(url, user, keys.create(user)) for user in USERS}


def test_callers_in_any_order_get_their_own_bytes_and_no_others(place: Place) -> None:
    place.archive.ended_after = 7
    with served(place) as callers, ThreadPoolExecutor(6) as threads:
        for user, each in callers.items():
            assert each.bring(username=user, password=f"canary-of-{user}").status_code == 200
        chance = random.Random(5)
        pairs = [(chance.choice(USERS), chance.choice(USERS)) for _ in range(150)]

        def get(pair: tuple[str, str]) -> tuple[int, bytes]:
            answer = callers[pair[0]].ask("GET", callers[pair[0]].product(pair[1]))
            return answer.status_code, answer.content

        for (user, wanted), (status, body) in zip(pairs, threads.map(get, pairs), strict=True):
            if user == wanted:
                assert (status, body) == (200, f"bytes of {user}".encode())
            else:
                assert status in (403, 404)


def test_a_stranger_who_searches_where_accounts_are_wanted_is_asked_who_they_are(place: Place) -> None:
    with served(place) as callers:
        answer = requests.get(f"{callers['ada'].url}/search", timeout=TIMEOUT)
        assert (answer.status_code, answer.json()["code"]) == (401, "Unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_signed_href_uses_the_account_of_the_one_it_was_signed_for(place: Place) -> None:
    with served(place) as callers:
        ada = callers["ada"]
        ada.bring(username="ada", password="canary-of-ada")
        (item,) = ada.ask("GET", "/search").json()["features"]
        href = item["assets"]["product"]["href"]
        assert requests.get(href, timeout=TIMEOUT).content == b"bytes of ada"


@pytest.mark.parametrize(
    "body",
    [
        {"password_file": "/etc/passwd"},
        {"username": "ada", "extra": "x"},
        {"username": 1},
        {"username": None},
        {},
        [],
    ],
)
def test_an_account_is_texts_under_known_names_and_no_file_of_the_server(place: Place, body: Any) -> None:
    with served(place) as callers:
        answer = callers["ada"].ask("PUT", "/account/toy", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")


def test_a_catalogue_with_one_account_for_all_takes_none(place: Place) -> None:
    with served(place) as callers:
        assert callers["ada"].ask("PUT", "/account/cdse", json={"username": "x"}).status_code == 404
        assert callers["ada"].ask("DELETE", "/account/toy").json() == {"catalogue": "toy", "kept": False}


def test_no_secret_is_in_any_log_answer_or_repr(
    place: Place, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said = io.StringIO()
    with served(place) as callers:
        ada, bob = callers["ada"], callers["bob"]
        answers = [
            ada.bring(username="ada", password="canary-wrong"),
            ada.bring(username="ada", password="canary-of-ada"),
            ada.ask("PUT", "/account/toy", json={"password": "canary-wrong", "canary": "x"}),
            ada.ask("GET", ada.product("ada")),
            bob.ask("GET", bob.product("bob")),
            bob.ask("GET", "/search"),
            requests.get(
                f"{ada.url}/search", headers={"Authorization": "Bearer canary-key"}, timeout=TIMEOUT
            ),
        ]
        # requests would log the URL that it asks for itself.
        connection = HTTPConnection(urlsplit(ada.url).netloc, timeout=TIMEOUT)
        connection.request("GET", f"{ada.product('ada')}?t=1.canary.f.k.x&Authorization=canary")
        said.write(connection.getresponse().read().decode())
        connection.close()
        keys = [each.key.partition(".")[2] for each in (ada, bob)]
        for answer in answers:
            said.write(f"{answer.text}\n{dict(answer.headers)}\n")
    said.write(caplog.text + "".join(capsys.readouterr()))
    catalogue = place.catalogue()
    with acting(principal("ada")):
        catalogue.keep(account("ada"))
        token_of(catalogue, place)
    said.write(repr(vars(catalogue)) + repr(Keys(place.folder / "keys").all()) + repr(place.settings()))
    text = said.getvalue()
    for secret in ("canary", *keys):
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            assert form not in text
