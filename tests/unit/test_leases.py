import asyncio
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stacbridge.download.leases import LIFE, LeaseFile, leased
from tests.servers import Clock


def test_no_more_leases_are_given_than_there_are_and_each_account_has_its_own(tmp_path: Path) -> None:
    leases = LeaseFile(tmp_path / "leases")
    assert [leases.take("cdse", 2, holder) for holder in "abc"] == [True, True, False]
    assert leases.take("maap", 2, "d")
    leases.give_back("a")
    assert leases.take("cdse", 2, "c")
    leases.close()


def test_a_lease_that_nobody_renews_ends_and_one_that_is_renewed_does_not(tmp_path: Path) -> None:
    clock = Clock()
    leases = LeaseFile(tmp_path / "leases", clock)
    assert leases.take("cdse", 1, "dead")
    clock.sleep(LIFE / 2)
    leases.renew("dead")
    clock.sleep(LIFE / 2)
    assert not leases.take("cdse", 1, "next")
    clock.sleep(LIFE / 2)
    assert leases.take("cdse", 1, "next")
    leases.close()


def test_whoever_leaves_while_waiting_or_holding_leaves_no_lease_behind(tmp_path: Path) -> None:
    leases = LeaseFile(tmp_path / "leases")

    async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.to_thread(function, *arguments)

    async def hold(entered: asyncio.Event) -> None:
        async with leased(leases, "cdse", lambda: 1, 60, in_thread):
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
    assert leases.take("cdse", 1, "next")
    leases.close()


def contend(file: Path, start: Any, taken: Any) -> None:
    leases = LeaseFile(file)
    start.wait()
    taken.put([leases.take("cdse", 4, f"{multiprocessing.current_process().pid}-{n}") for n in range(10)])
    leases.close()


def test_processes_that_ask_at_once_get_no_more_together_than_there_are(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, taken = context.Event(), context.Queue()
    file = tmp_path / "leases"
    LeaseFile(file).close()
    processes = [context.Process(target=contend, args=(file, start, taken)) for _ in range(3)]
    for process in processes:
        process.start()
    start.set()
    results = [taken.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    assert sum(map(sum, results)) == 4
