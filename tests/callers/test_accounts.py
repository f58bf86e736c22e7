"""Callers' own accounts: what is one's is never another's."""

import base64
import io
import logging
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr

from stacbridge.accounts import OwnAccounts
from stacbridge.app import create_app
from stacbridge.callers.keys import Keys
from stacbridge.callers.principal import ANONYMOUS, EVERYBODY, Principal, acting, caller, scope_of
from stacbridge.callers.threads import Threads
from stacbridge.errors import BadRequest, Forbidden, Misconfigured, Unauthorized
from stacbridge.model import Query, Ready
from stacbridge.settings import Credentials, Settings
from stacbridge.vault import EncryptedFiles, Vault
from tests.api.serving import running
from tests.callers.archive import Archive, archive, number
from tests.servers import Clock, Server

USERS = ("ada", "bob", "cleo", "dan")
TIMEOUT = 20


@dataclass(frozen=True)
class Place:
    """A folder with a catalogue file, and the archive that it names."""

    folder: Path
    archive: Archive
    server: Server

    def settings(self, **more: Any) -> Settings:
        given = {
            "access": "keys",
            "key_folder": self.folder / "keys",
            "catalogues": ["toy"],
            "catalogue_folder": self.folder,
            "accounts": {"toy": "own"},
            "account_store": "files",
            "account_folder": self.folder / "accounts",
            **more,
        }
        return Settings(**given)

    def vault(self) -> Vault:
        return EncryptedFiles(self.folder / "accounts", self.folder / "accounts" / "key")

    def catalogue(self, clock: Clock | None = None, **more: Any) -> OwnAccounts:
        return OwnAccounts("toy", self.settings(**more), self.vault(), clock=clock or Clock())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with archive(tmp_path) as (made, server):
        yield Place(tmp_path, made, server)


def principal(user: str) -> Principal:
    return Principal(f"k{user}aaaaaaaaaa", user, "key")


def account(user: str) -> Credentials:
    return Credentials(username=user, password=SecretStr(f"canary-of-{user}"))


def token_of(catalogue: OwnAccounts, place: Place) -> str:
    return catalogue.authorize(f"{place.server.url}/odata/v1/x")["Authorization"]


def test_the_scope_is_the_catalogues_or_the_callers() -> None:
    own = Settings(accounts={"toy": "own"})
    ada, bob = principal("ada"), principal("bob")
    assert scope_of(ada, "cdse", own) == scope_of(bob, "cdse", own) == "cdse"
    assert scope_of(EVERYBODY, "cdse", own) == "cdse"
    assert scope_of(ada, "toy", own) == f"toy@{ada.id}" != scope_of(bob, "toy", own)
    signed = Principal(ada.id, ada.id, "signed")
    assert scope_of(signed, "toy", own) == scope_of(ada, "toy", own)
    for stranger in (ANONYMOUS, EVERYBODY):
        with pytest.raises(Unauthorized):
            scope_of(stranger, "toy", own)


def test_threads_know_who_asked_for_their_work() -> None:
    with Threads(2) as threads:
        asked = []
        for user in USERS:
            with acting(principal(user)):
                asked.append(threads.submit(lambda: caller().name))
        assert [each.result() for each in asked] == list(USERS)
        assert threads.submit(caller).result() == ANONYMOUS


def test_an_account_is_tried_before_it_is_kept_and_kept_encrypted(place: Place) -> None:
    catalogue = place.catalogue()
    with acting(principal("ada")):
        with pytest.raises(BadRequest, match="does not take this account"):
            catalogue.keep(Credentials(username="ada", password=SecretStr("wrong")))
        with pytest.raises(Forbidden, match="PUT it to /account/toy"):
            token_of(catalogue, place)
        catalogue.keep(account("ada"))
        assert "canary-token-ada" in token_of(catalogue, place)
    files = list((place.folder / "accounts").iterdir())
    assert not any(b"canary" in file.read_bytes() for file in files)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_nobody_unknown_uses_an_account(place: Place) -> None:
    catalogue = place.catalogue()
    with acting(principal("ada")):
        catalogue.keep(account("ada"))
    for act in (
        lambda: token_of(catalogue, place),
        lambda: catalogue.search(Query(), ""),
        lambda: catalogue.locate("toys", "TOY_ada", "product"),
    ):
        with pytest.raises(Unauthorized):
            act()


def test_a_search_and_a_place_are_the_callers_own(place: Place) -> None:
    catalogue = place.catalogue()
    for user in USERS[:2]:
        with acting(principal(user)):
            catalogue.keep(account(user))
    for user in ("ada", "bob", "ada", "bob"):
        with acting(principal(user)):
            assert [item["id"] for item in catalogue.search(Query(), "").items] == [f"TOY_{user}"]
            found = catalogue.locate("toys", f"TOY_{user}", "product")
            assert isinstance(found, Ready) and number(user) in found.request.url


def test_an_account_taken_away_is_used_no_more(place: Place) -> None:
    catalogue = place.catalogue()
    with acting(principal("ada")):
        catalogue.keep(account("ada"))
        token_of(catalogue, place)
        catalogue.forget()
        with pytest.raises(Forbidden):
            token_of(catalogue, place)


def test_an_account_that_another_process_took_away_ends_within_a_minute(place: Place) -> None:
    clock = Clock()
    here, there = place.catalogue(clock), place.catalogue(clock)
    with acting(principal("ada")):
        here.keep(account("ada"))
        token_of(here, place)
        there.forget()
        clock.now += 61
        with pytest.raises(Forbidden):
            token_of(here, place)


def test_only_so_many_accounts_are_held_and_the_others_come_back(place: Place) -> None:
    catalogue = place.catalogue(own_accounts=2)
    for user in USERS:
        with acting(principal(user)):
            catalogue.keep(account(user))
    for user in USERS * 2:
        with acting(principal(user)):
            assert f"canary-token-{user}" in token_of(catalogue, place)
    assert place.archive.issued == 3 * len(USERS)


def test_threads_in_any_order_never_get_anothers_token(place: Place) -> None:
    """4 callers, 8 threads, 4,000 calls, tokens that end all the time and 3 accounts held at once."""
    catalogue = place.catalogue(own_accounts=3)
    place.archive.ended_after = 5
    for user in USERS:
        with acting(principal(user)):
            catalogue.keep(account(user))
    url = f"{place.server.url}/odata/v1/x"
    chance = random.Random(34)

    def call(user: str, refuse: bool) -> bool:
        headers = catalogue.authorize(url)
        if refuse:
            headers = catalogue.reauthorize(url, headers)
        return f"canary-token-{user}-" in headers["Authorization"]

    with Threads(8) as threads:
        asked = []
        for _ in range(4000):
            user = chance.choice(USERS)
            with acting(principal(user)):
                asked.append(threads.submit(call, user, chance.random() < 0.02))
        assert all(each.result() for each in asked)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"access": "open"}, 'access is "open"'),
        ({"credentials": {"toy": account("ada")}}, "names an account for nobody"),
        (
            {"accounts": {"sedas": "own"}, "catalogues": ["sedas"]},
            "lists its collections to accounts only",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(
    place: Place, changed: dict[str, Any], told: str
) -> None:
    with pytest.raises(Misconfigured, match=told):
        create_app(place.settings(**changed))


# Over HTTP ----------------------------------------------------------------------------------------
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
