"""Orders of callers with accounts of their own: each is sent with its caller's token, whoever drives it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
import requests
from pydantic import SecretStr

from stacbridge.app import create_app
from stacbridge.callers.keys import Keys
from stacbridge.settings import Credentials
from tests.api.serving import running
from tests.callers import archive
from tests.callers.accounts import own_accounts
from tests.orders.waiting import until
from tests.servers import Answer, Seen, Server, serving

TIMEOUT = 10
ITEM = "TOY_shared"
PRODUCT = {**archive.record("shared"), "Online": False}
BODY = {"collection": "toys", "item": ITEM}


class Tape(archive.Archive):
    """One product, which everybody sees, on tape; `orders` are who ordered it, `polls` who asked."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[str] = []
        self.polls: list[tuple[str, str]] = []
        self.online = False
        self.refusing = False
        self._guard = threading.Lock()

    def __call__(self, seen: Seen) -> Answer:
        if seen.path == "/token":
            return super().__call__(seen)
        user = self.tokens.get(seen.headers.get("authorization", "").removeprefix("Bearer "))
        if user is None:
            return Answer(401)
        with self._guard:
            return self._told(user, unquote(seen.path))

    def _told(self, user: str, path: str) -> Answer:
        if path.endswith("/OData.CSC.Order"):
            if self.refusing:
                return Answer(503, headers={"Retry-After": "3600"})
            self.orders.append(user)
            return Answer(201, orjson.dumps({"Id": f"order-of-{user}", "Status": "queued"}))
        if "/Orders?" in path:
            self.polls.append((user, path))
            status = "completed" if self.online else "in_progress"
            entries = [{"Id": f"order-of-{user}", "Status": status}] if user in self.orders else []
            return Answer(body=orjson.dumps({"value": entries if "order-of-" in path else []}))
        if path.endswith("/$value"):
            return Answer(200, f"bytes for {user}".encode())
        return Answer(body=orjson.dumps({"value": [{**PRODUCT, "Online": self.online}]}))


@dataclass(frozen=True)
class Desk:
    """A folder with the catalogue `toy`, and the archive that it names."""

    folder: Path
    tape: Tape
    server: Server
    secrets: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def bridge(self, **more: Any) -> Iterator[str]:
        given = {
            "order_store": SecretStr(f"sqlite:///{self.folder / 'orders.sqlite'}"),
            "order_poll": 0.05,
            "order_poll_most": 0.05,
            "location_seconds": 0.01,
            "search_cache_seconds": 0.01,
            "retries": 0,
            **more,
        }
        with running(create_app(own_accounts(self.folder, **given))) as url:
            yield url

    def ask(self, user: str, method: str, url: str, **more: Any) -> requests.Response:
        if user not in self.secrets:
            self.secrets[user] = Keys(self.folder / "keys").create(user)
        headers = {"Authorization": f"Bearer {self.secrets[user]}"}
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, **more)

    def bring(self, root: str, user: str) -> None:
        account = {"username": user, "password": f"canary-of-{user}"}
        assert self.ask(user, "PUT", f"{root}/account/toy", json=account).status_code == 200

    def order(self, root: str, user: str) -> str:
        return self.ask(user, "POST", f"{root}/orders", json=BODY).headers["Location"]

    def stands(self, user: str, url: str) -> Any:
        return self.ask(user, "GET", url).json()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    tape = Tape()
    with serving(tape) as server:
        toml = archive.TOML.replace("{url}", server.url).replace("[access]", '[access]\nordering = "lta"')
        (tmp_path / "toy").mkdir()
        (tmp_path / "toy.toml").write_text(toml)
        (tmp_path / "toy" / "toys.toml").write_text(archive.FAMILY)
        yield Desk(tmp_path, tape, server)


def test_two_callers_with_accounts_of_their_own_order_one_product_each_with_their_token(desk: Desk) -> None:
    with desk.bridge() as root:
        urls = {}
        for user in ("ada", "bob"):
            desk.bring(root, user)
            urls[user] = desk.order(root, user)
        until(lambda: all(desk.stands(user, url)["status"] == "shipping" for user, url in urls.items()))
        assert sorted(desk.tape.orders) == ["ada", "bob"]
        assert {user for user, path in desk.tape.polls if f"order-of-{user}" in path} == {"ada", "bob"}
        assert desk.ask("ada", "GET", urls["bob"]).status_code == 404
    assert all(user in path for user, path in desk.tape.polls if "order-of-" in path)


def test_two_callers_of_one_service_account_order_a_product_once(desk: Desk) -> None:
    service = Credentials(username="service", password=SecretStr("canary-of-service"))
    with desk.bridge(accounts={}, credentials={"toy": service}) as root:
        urls = {user: desk.order(root, user) for user in ("ada", "bob")}
        assert urls["ada"] != urls["bob"]
        until(lambda: all(desk.stands(user, url)["status"] == "shipping" for user, url in urls.items()))
    assert desk.tape.orders == ["service"]


def test_after_a_restart_orders_go_on_with_the_account_that_they_are_of(desk: Desk) -> None:
    with desk.bridge() as root:
        desk.bring(root, "ada")
        path = desk.order(root, "ada").removeprefix(root)
        until(lambda: desk.tape.orders == ["ada"])
    desk.tape.online = True
    with desk.bridge() as root:
        until(lambda: desk.stands("ada", f"{root}{path}")["status"] == "succeeded")
    assert desk.tape.orders == ["ada"]


def test_one_callers_used_up_quota_holds_no_other_caller_back(desk: Desk) -> None:
    with desk.bridge() as root:
        for user in ("ada", "bob"):
            desk.bring(root, user)
        desk.tape.refusing = True
        hers = desk.order(root, "ada")
        until(lambda: "release" in desk.stands("ada", hers))
        desk.tape.refusing = False
        his = desk.order(root, "bob")
        until(lambda: desk.stands("bob", his)["status"] == "shipping")
        assert desk.stands("ada", hers)["status"] == "ordered"
    assert desk.tape.orders == ["bob"]


def test_an_account_taken_away_leaves_its_order_waiting_with_that_reason(desk: Desk) -> None:
    with desk.bridge(own_account_seconds=0.01) as root:
        desk.bring(root, "ada")
        url = desk.order(root, "ada")
        until(lambda: desk.stands("ada", url)["status"] == "shipping")
        desk.ask("ada", "DELETE", f"{root}/account/toy")
        until(lambda: "you have brought none" in desk.stands("ada", url).get("reason", ""))
        desk.tape.online = True
        desk.bring(root, "ada")
        until(lambda: desk.stands("ada", url)["status"] == "succeeded")


def test_what_is_on_tape_is_answered_with_the_callers_own_order(desk: Desk) -> None:
    with desk.bridge() as root:
        for user in ("ada", "bob"):
            desk.bring(root, user)
        url = desk.order(root, "ada")
        asset = f"{root}/assets/toy/toys/{ITEM}/product/{ITEM}.SAFE.zip"
        hers, his = desk.ask("ada", "GET", asset), desk.ask("bob", "GET", asset)
        assert (hers.status_code, his.status_code) == (503, 503)
        assert hers.links["status"]["url"] == url.removeprefix(root) == hers.json()["status"]
        assert "Link" not in his.headers and "status" not in his.json()


def properties(desk: Desk, user: str, root: str, path: str) -> Any:
    found = desk.ask(user, "GET", f"{root}{path}").json()
    return found["features"][0]["properties"] if "features" in found else found["properties"]


def test_items_tell_callers_of_their_own_orders_and_of_no_others(desk: Desk) -> None:
    with desk.bridge() as root:
        for user in ("ada", "bob"):
            desk.bring(root, user)
        id = desk.order(root, "ada").rpartition("/")[2]
        for path in ("/search", f"/collections/toys/items/{ITEM}", "/search?collections=toys&scenes=linked"):
            assert properties(desk, "ada", root, path)["order:id"] == id
            assert not {name for name in properties(desk, "bob", root, path) if name.startswith("order:")}
        desk.order(root, "bob")
        assert properties(desk, "bob", root, "/search")["order:id"] not in (id, None)


def test_without_the_order_book_a_search_is_answered_and_the_log_tells_what_is_missing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with desk.bridge() as root:
        desk.bring(root, "ada")
        desk.order(root, "ada")
        with sqlite3.connect(desk.folder / "orders.sqlite") as book:
            book.execute("ALTER TABLE requests RENAME TO away")
        assert "order:id" not in properties(desk, "ada", root, "/search")
        book.execute("ALTER TABLE away RENAME TO requests")
        book.close()
    assert "without their orders" in caplog.text
