"""What downloads know of callers and orders."""

import asyncio
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import replace
from http.client import IncompleteRead
from pathlib import Path
from typing import Any
from weakref import WeakSet

import orjson
import pytest

from conformance.faults.kit import PRODUCT, whole
from stacbridge.callers.principal import EVERYBODY, Principal
from stacbridge.callers.threads import Threads
from stacbridge.download.account import Means
from stacbridge.download.accounts import Accounts
from stacbridge.download.address import Address
from stacbridge.download.background import Background
from stacbridge.download.hooks import Hooks, Ordered
from stacbridge.download.ledger import Ledger
from stacbridge.download.transfers import Transfers
from stacbridge.model import Pending, Ready
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Chaos
from tests.unit.download_servers import PATIENCE, Bridge, OneAsset, in_front_of, within

ADA, BOB = {"X-User": "ada"}, {"X-User": "bob"}


def order_of(address: Address, principal: Principal | None) -> Ordered | None:
    """Ada's order is under way, Bob's has failed, and nobody else has one."""
    if principal is None:
        return None
    return Ordered(f"http://bridge/orders/{principal.id}-{address.item}", principal.id == "ada")


def test_what_is_being_staged_names_the_order_to_who_may_see_it() -> None:
    catalogue = OneAsset(Pending("The product is being staged.", 60))
    with Bridge(catalogue, hooks=Hooks(order_of=order_of)) as bridge:
        hers, nobodys = bridge.ask(headers=ADA), bridge.ask()
    assert (hers.status, hers.headers["retry-after"]) == (503, "60")
    assert hers.headers["link"] == '<http://bridge/orders/ada-S2A>; rel="status"'
    assert orjson.loads(hers.body)["status"] == "http://bridge/orders/ada-S2A"
    assert nobodys.status == 503
    assert "link" not in nobodys.headers


def test_who_has_no_order_that_may_bring_the_bytes_is_told_to_order_and_not_to_wait() -> None:
    catalogue = OneAsset(Pending("The product is in the archive.", 60))
    with Bridge(catalogue, hooks=Hooks(order_of=order_of)) as bridge:
        failed, nobodys = bridge.ask(headers=BOB), bridge.ask()
    for answer in (failed, nobodys):
        assert (answer.status, "retry-after" in answer.headers) == (503, False)
        assert "`stacbridge order sentinel-2-l2a S2A`" in orjson.loads(answer.body)["advice"]
    assert failed.headers["link"] == '<http://bridge/orders/bob-S2A>; rel="status"'


class Heard:
    """The hooks of a bridge, which keep who fetched what."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.hooks = Hooks(fetched=self._note)

    def _note(self, address: Address, principal: Principal | None) -> None:
        self.fetched.append(f"{principal.id if principal else None} {address.item}")


def test_a_file_or_a_part_that_went_out_whole_is_told_to_be_fetched_and_nothing_else() -> None:
    heard = Heard()
    cut = Act(stop_after=1000, ending="reset")
    with Chaos(PRODUCT, cut, Act(status=404), Act()) as chaos:
        catalogue = in_front_of(chaos)
        with Bridge(catalogue, hooks=heard.hooks, download_retries=0) as bridge:
            with pytest.raises(IncompleteRead):
                bridge.ask(headers=ADA)
            assert bridge.ask(headers=ADA).status >= 400
            assert bridge.ask("HEAD", headers=ADA).status == 200
            assert heard.fetched == []
            assert whole(bridge.ask(headers=ADA))
            assert bridge.ask(headers=BOB | {"Range": "bytes=0-9"}).status == 206
            assert within(PATIENCE, lambda: heard.fetched == ["ada S2A", "bob S2A"])


def test_what_fails_after_a_download_goes_to_the_log_and_never_to_the_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fetched(address: Address, principal: Principal | None) -> None:
        raise OSError("the order book's disk is full")

    hooks = Hooks(fetched=fetched)
    with Chaos(PRODUCT, Act()) as chaos, Bridge(in_front_of(chaos), hooks=hooks) as bridge:
        assert whole(bridge.ask())
        assert within(PATIENCE, lambda: "the order book's disk is full" in caplog.text)
    assert "fetched failed." in caplog.text


def test_a_file_that_is_there_while_its_product_is_offline_is_not_told_to_be_fetched() -> None:
    heard = Heard()
    with Chaos(PRODUCT, Act()) as chaos:
        catalogue = in_front_of(chaos)
        assert isinstance(catalogue.place, Ready)
        quicklook, product = replace(catalogue.place, at_hand=True), catalogue.place
        with Bridge(catalogue, hooks=heard.hooks) as bridge:
            catalogue.place = quicklook
            assert whole(bridge.ask(headers=ADA))
            catalogue.place = product
            assert whole(bridge.ask(headers=BOB))
            assert within(PATIENCE, lambda: heard.fetched == ["bob S2A"])


def test_a_file_in_the_spool_is_shared_within_an_account_and_never_across(tmp_path: Path) -> None:
    hooks = Hooks(scope_of=lambda principal, catalogue: "service" if principal is None else principal.id)
    with Chaos(PRODUCT, Act(ignore_range=True)) as chaos:
        catalogue = in_front_of(chaos, ranges=False)
        with Bridge(catalogue, hooks=hooks, spool_folder=tmp_path) as bridge:
            for headers, fetches in ((ADA, 1), (ADA, 1), (BOB, 2), ({}, 3), (BOB, 3)):
                assert whole(bridge.ask(headers=headers))
                assert len(chaos.asked) == fetches


def test_a_user_has_no_more_requests_under_way_than_the_setting_says() -> None:
    with (
        Chaos(PRODUCT, Act(stop_after=1000, ending="stall")) as chaos,
        Bridge(in_front_of(chaos), max_streams_per_user=1) as bridge,
        bridge.client(user="ada"),
    ):
        assert chaos.wait(asked=1, busy=1)
        assert bridge.ask("HEAD", headers=ADA).status == 503
        assert bridge.ask("HEAD", headers=BOB).status == 200


def test_callers_of_an_open_bridge_are_not_bounded_as_if_they_were_one() -> None:
    everybody = {"X-User": EVERYBODY.id}
    with (
        Chaos(PRODUCT, Act(stop_after=1000, ending="stall")) as chaos,
        Bridge(in_front_of(chaos), max_streams_per_user=1) as bridge,
        bridge.client(user=EVERYBODY.id),
    ):
        assert chaos.wait(asked=1, busy=1)
        assert bridge.ask("HEAD", headers=everybody).status == 200


def test_who_asks_how_accounts_stand_stops_nobody_while_another_process_holds_the_ledger(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    with (
        Chaos(PRODUCT, Act()) as chaos,
        Bridge(in_front_of(chaos), ledger=ledger) as bridge,
        closing(sqlite3.connect(ledger, isolation_level=None)) as other,
    ):

        async def waits() -> bool:
            asked = asyncio.create_task(bridge.proxy.status())
            _, waiting = await asyncio.wait([asked], timeout=0.1)
            if waiting:
                other.execute("rollback")
                await asked
            return not other.in_transaction

        other.execute("begin immediate")
        assert whole(bridge.ask())
        assert within(PATIENCE, lambda: asyncio.run(waits()))


def test_bytes_are_put_down_to_who_took_them() -> None:
    with Chaos(PRODUCT, Act()) as chaos, Bridge(in_front_of(chaos)) as bridge:
        assert whole(bridge.ask(headers=ADA))
        assert within(PATIENCE, lambda: bridge.status()["one"]["bytes_30_days"] == len(PRODUCT))
        assert bridge.status()["one"]["your_bytes_30_days"] == 0


def by_caller(principal: Principal | None, catalogue: str) -> str:
    return catalogue if principal is None else f"{catalogue}@{principal.id}"


def test_callers_with_accounts_of_their_own_do_not_wait_for_each_others_connections() -> None:
    with (
        Chaos(PRODUCT, Act(stop_after=1000, ending="stall")) as chaos,
        Bridge(in_front_of(chaos), hooks=Hooks(by_caller), download_wait=0.1) as bridge,
        ExitStack() as held,
    ):
        for number in range(4):
            held.enter_context(bridge.client(user="ada"))
            assert chaos.wait(asked=number + 1, busy=number + 1)
        assert bridge.ask(headers=ADA).status == 503
        held.enter_context(bridge.client(user="bob"))
        assert chaos.wait(asked=5, busy=5)
        told = [bridge.status(known(user))["one"]["in_use"] for user in ("ada", "bob")]
        assert told == [4, 1]


def test_bytes_and_refusals_of_an_account_are_its_callers_alone() -> None:
    with (
        Chaos(PRODUCT, Act(status=429), Act()) as chaos,
        Bridge(in_front_of(chaos), hooks=Hooks(by_caller), download_retries=0) as bridge,
    ):

        def told(user: str, name: str) -> Any:
            return bridge.status(known(user))["one"][name]

        assert bridge.ask(headers=ADA).status == 503
        assert whole(bridge.ask(headers=BOB))
        assert (told("ada", "allowed"), told("bob", "allowed")) == (3, 4)
        assert within(PATIENCE, lambda: told("bob", "bytes_30_days") == len(PRODUCT))
        assert told("ada", "bytes_30_days") == 0


def test_only_so_many_accounts_are_remembered_and_those_in_use() -> None:
    given, threads = Settings(own_accounts=2), Threads(1)
    means = Means(given, Transfers(given), Ledger(None), None, threads, Background(threads), Hooks(by_caller))
    catalogue = OneAsset(Pending("", 1))
    accounts = Accounts({catalogue.id: catalogue}, means)
    in_use = accounts.of(known("ada"), "one")
    seen = WeakSet(accounts.of(known(f"user-{number}"), "one") for number in range(10))
    assert len(seen) == 2
    assert accounts.of(known("ada"), "one") is in_use
    assert accounts.of(None, "one") is accounts.of(None, "one") is not in_use
    means.ledger.close()


def known(user: str) -> Principal:
    return Principal(user, user, "key")
