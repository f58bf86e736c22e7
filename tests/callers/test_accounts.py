"""Callers' own accounts: what is one's is never another's."""

import random
from typing import Any

import pytest
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.callers.principal import ANONYMOUS, EVERYBODY, Principal, acting, caller, scope_of
from stacbridge.callers.threads import Threads
from stacbridge.errors import BadRequest, Forbidden, Misconfigured, Unauthorized
from stacbridge.model import Query, Ready
from stacbridge.settings import Credentials, Settings
from tests.callers.accounts import USERS, Place, account, principal, token_of
from tests.callers.archive import number
from tests.servers import Clock


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


def test_what_is_known_for_one_caller_is_never_told_to_another(place: Place) -> None:
    catalogue = place.catalogue()
    url = f"{place.server.url}/odata/v1/x"
    for user in USERS[:2]:
        with acting(principal(user)):
            catalogue.keep(account(user))
            assert catalogue.located("toys", f"TOY_{user}", "product") is None
            assert catalogue.authorized(url) is None
    with acting(principal("ada")):
        found = catalogue.locate("toys", "TOY_ada", "product")
        headers = catalogue.authorize(url)
        assert catalogue.located("toys", "TOY_ada", "product") == found
        assert catalogue.authorized(url) == headers
    with acting(principal("bob")):
        assert catalogue.located("toys", "TOY_ada", "product") is None
        assert catalogue.authorized(url) is None
    with pytest.raises(Unauthorized):
        catalogue.located("toys", "TOY_ada", "product")


def test_a_callers_account_is_looked_for_in_the_vault_again_after_a_while(place: Place) -> None:
    clock = Clock()
    catalogue = place.catalogue(clock)
    with acting(principal("ada")):
        catalogue.keep(account("ada"))
        catalogue.locate("toys", "TOY_ada", "product")
        assert catalogue.located("toys", "TOY_ada", "product") is not None
        clock.now += 60
        assert catalogue.located("toys", "TOY_ada", "product") is None
        place.vault().forget(scope_of(caller(), "toy", place.settings()))
        with pytest.raises(Forbidden):
            catalogue.locate("toys", "TOY_ada", "product")
