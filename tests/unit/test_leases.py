"""Leases, on a file and on PostgreSQL alike."""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr

from conformance.faults.kit import PRODUCT
from stacbridge.download.lease_stores import LeaseFile, LeaseTable, open_leases
from stacbridge.download.leases import LIFE, Leases, Share
from stacbridge.errors import NotStaged, StoreUnavailable
from stacbridge.orders.store import open_store
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Chaos
from tests.postgres import cluster, missing
from tests.servers import Clock
from tests.unit.download_servers import PATIENCE, Bridge, in_front_of, within


@dataclass
class Place:
    """Leases whose time passes when told to; `settings` open the same ones in another process."""

    leases: Leases
    let_pass: Callable[[float], None]
    settings: Settings


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    if reason := missing():
        pytest.skip(reason)
    with cluster() as url:
        yield url


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "file":
        clock, file = Clock(), tmp_path / "leases"
        made = Place(LeaseFile(file, clock), clock.sleep, Settings(leases=file))
        yield made
        made.leases.close()
        return
    given = Settings(order_store=SecretStr(request.getfixturevalue("postgres")))
    database = open_store(given)

    def age(seconds: float) -> None:
        with database.writing() as execute:
            execute("UPDATE leases SET until = until - ? * interval '1 second'", seconds)

    yield Place(LeaseTable(database), age, given)
    with database.writing() as execute:
        execute("DELETE FROM leases")
    database.close()


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(function, *arguments)


def share(leases: Leases, most: int = 1) -> Share:
    return Share(leases, "cdse", "cdse", lambda: most, in_thread)


def test_no_more_leases_are_given_than_there_are_and_each_account_has_its_own(place: Place) -> None:
    leases = place.leases
    assert [leases.take("cdse", 2, holder) for holder in "abc"] == [True, True, False]
    assert leases.take("maap", 2, "d")
    leases.give_back("a")
    assert leases.take("cdse", 2, "c")


def test_a_lease_that_nobody_renews_ends_and_one_that_is_renewed_does_not(place: Place) -> None:
    leases = place.leases
    assert leases.take("cdse", 1, "dead")
    place.let_pass(LIFE / 2)
    assert leases.renew("dead")
    place.let_pass(LIFE / 2)
    assert not leases.take("cdse", 1, "next")
    place.let_pass(LIFE / 2)
    assert leases.take("cdse", 1, "next")


def test_who_comes_too_late_to_renew_is_told_that_the_lease_is_lost(place: Place) -> None:
    assert place.leases.take("cdse", 1, "late")
    place.let_pass(LIFE)
    assert not place.leases.renew("late")
    assert place.leases.take("cdse", 1, "next")
    assert not place.leases.renew("late")
    assert not place.leases.take("cdse", 1, "late")
    place.leases.give_back("late")
    assert place.leases.renew("next")


def test_whoever_leaves_while_waiting_or_holding_leaves_no_lease_behind(place: Place) -> None:
    async def hold(entered: asyncio.Event) -> None:
        async with share(place.leases).held(60):
            entered.set()
            await asyncio.Event().wait()

    async def run() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        holding = asyncio.create_task(hold(first))
        await first.wait()
        waiting = asyncio.create_task(hold(second))
        await asyncio.sleep(0)
        for task in (waiting, holding):
            task.cancel()
        await asyncio.gather(waiting, holding, return_exceptions=True)
        assert not second.is_set()

    asyncio.run(run())
    assert place.leases.take("cdse", 1, "next")


def test_a_download_whose_lease_went_to_another_bridge_is_cut(place: Place) -> None:
    async def run() -> None:
        async with share(place.leases).held(1, beat=0.01):
            await in_thread(place.let_pass, LIFE)
            while not await in_thread(place.leases.take, "cdse", 1, "next"):
                await in_thread(place.let_pass, LIFE)
            await asyncio.Event().wait()

    with pytest.raises(NotStaged, match="Another bridge may have got this"):
        asyncio.run(asyncio.wait_for(run(), 20))
    assert place.leases.renew("next")


def test_a_bridge_that_was_stopped_goes_on_where_nobody_took_its_lease(place: Place) -> None:
    async def run() -> None:
        one = share(place.leases)
        async with one.held(1, beat=0.01):
            await in_thread(place.let_pass, LIFE)
            while not await in_thread(place.leases.renew, one.holder):
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run(), 20))
    assert place.leases.take("cdse", 1, "next")


class Hanging:
    """Leases whose store does not answer one question, that of number `hangs`, until it is told to."""

    def __init__(self, hangs: int) -> None:
        self.left = hangs
        self.asked, self.answer = Event(), Event()
        self.done: list[str] = []

    def take(self, account: str, most: int, holder: str) -> bool:
        return self._answered("take", True)

    def renew(self, holder: str) -> bool:
        return self._answered("renew", False)

    def give_back(self, holder: str) -> None:
        self._answered("give back", True)

    def close(self) -> None:
        pass

    def _answered(self, question: str, answer: bool) -> bool:
        self.left -= 1
        if self.left == 0:
            self.asked.set()
            assert self.answer.wait(PATIENCE)
        self.done.append(question)
        return answer


@pytest.mark.parametrize("done", [["take"], ["take", "renew"], ["take", "renew", "take"]], ids=" ".join)
def test_whoever_leaves_while_the_store_is_asked_leaves_at_once_and_gives_back_only_then(
    done: list[str],
) -> None:
    leases = Hanging(len(done))

    async def hold() -> None:
        async with share(leases).held(60, beat=0):
            await asyncio.Event().wait()

    async def run() -> None:
        holding = asyncio.create_task(hold())
        assert await in_thread(leases.asked.wait, PATIENCE)
        holding.cancel()
        await asyncio.wait([holding])
        assert leases.done == done[:-1]
        leases.answer.set()
        assert await in_thread(within, PATIENCE, lambda: leases.done == [*done, "give back"])

    asyncio.run(run())


class Ahead(asyncio.SelectorEventLoop):
    """An event loop whose clock may be put ahead."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def test_a_download_is_cut_before_its_lease_ends_where_the_store_does_not_answer() -> None:
    leases, loop = Hanging(2), Ahead()

    async def run() -> None:
        async with share(leases).held(1, beat=0):
            assert await in_thread(leases.asked.wait, PATIENCE)
            loop.ahead = LIFE - 0.5
            await asyncio.wait_for(asyncio.Event().wait(), PATIENCE)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        with pytest.raises(NotStaged, match="Another bridge may have got this"):
            runner.run(run())
        assert leases.done == ["take"]
        leases.answer.set()


class Failing:
    """Leases whose store goes away once one is taken."""

    def __init__(self) -> None:
        self.asked = 0

    def take(self, account: str, most: int, holder: str) -> bool:
        return True

    def renew(self, holder: str) -> bool:
        self.asked += 1
        raise StoreUnavailable("The order book cannot be used for now.")

    def give_back(self, holder: str) -> None:
        self.renew(holder)

    def close(self) -> None:
        pass


def test_a_store_that_is_away_for_a_moment_cuts_nothing() -> None:
    leases = Failing()

    async def run() -> None:
        async with share(leases).held(1, beat=0.001):
            while leases.asked < 5:
                await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run(), 20))


def contend(settings: Settings, start: Any, taken: Any) -> None:
    leases = open_leases(settings)
    assert leases is not None
    start.wait()
    taken.put([leases.take("cdse", 4, f"{multiprocessing.current_process().pid}-{n}") for n in range(10)])
    leases.close()


def test_processes_that_ask_at_once_get_no_more_together_than_there_are(place: Place) -> None:
    context = multiprocessing.get_context("spawn")
    start, taken = context.Event(), context.Queue()
    processes = [context.Process(target=contend, args=(place.settings, start, taken)) for _ in range(3)]
    for process in processes:
        process.start()
    start.set()
    results = [taken.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    assert sum(map(sum, results)) == 4


def test_two_bridges_together_open_no_more_connections_than_the_account_has(place: Place) -> None:
    given = place.settings
    shared: dict[str, Any] = {"leases": given.leases, "order_store": given.order_store, "download_wait": 1}
    with (
        Chaos(PRODUCT, Act(stop_after=1000, ending="stall")) as chaos,
        Bridge(in_front_of(chaos), **shared) as here,
        Bridge(in_front_of(chaos), **shared) as there,
        ExitStack() as held,
    ):
        for number, bridge in enumerate((here, there, here, there)):
            held.enter_context(bridge.client())
            assert chaos.wait(asked=number + 1, busy=number + 1)
        refused = here.ask()
        assert (refused.status, "Other bridges use all connections" in refused.body.decode()) == (503, True)
        assert len(chaos.asked) == 4
        held.close()
        assert within(PATIENCE, lambda: there.ask("HEAD").status == 200)


def test_leases_are_shared_only_where_the_settings_name_where() -> None:
    assert open_leases(Settings()) is None
