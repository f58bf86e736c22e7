"""Orders by the command line, at a bridge over a simulated archive."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from stacbridge.app import create_app
from stacbridge.cli import main
from stacbridge.commands.bridge import running
from stacbridge.commands.ordering import watch
from stacbridge.model import Json
from stacbridge.simulators.lta import LtaSimulator
from stacbridge.simulators.lta_orders import LtaFaults
from tests.orders import lta
from tests.orders.waiting import until

QUICK = LtaFaults(queue_seconds=0.05, staging_seconds=0.1)


@pytest.fixture(scope="module")
def sim() -> Iterator[LtaSimulator]:
    with LtaSimulator(3000) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def root(sim: LtaSimulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = tmp_path_factory.mktemp("orders") / "orders.sqlite"
    given = lta.settings(sim.url, store, order_poll=0.1, order_poll_most=0.1)
    with running(create_app(given, [lta.catalogue(given)])) as url:
        yield url


@pytest.fixture(autouse=True)
def quick(sim: LtaSimulator) -> None:
    sim.faults = QUICK


@pytest.fixture
def item(sim: LtaSimulator) -> Callable[[], str]:
    """Gives an item that nobody has ordered."""
    ids = iter([id for id in lta.items(sim, 40) if id not in USED])

    def fresh() -> str:
        id = next(ids)
        USED.add(id)
        return id

    return fresh


USED: set[str] = set()


def run(root: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--url", root])


def test_a_search_that_finds_nothing_offline_is_over_at_once(root: str) -> None:
    done = run(root, "order", "--ids", "nothing", "--collection", lta.COLLECTION)
    assert (done.exit_code, done.stderr.splitlines()) == (0, ["0 orders: nothing is offline."])


def test_items_are_ordered_and_waited_for(root: str, item: Callable[[], str]) -> None:
    done = run(root, "order", lta.COLLECTION, item(), item())
    assert (done.exit_code, done.stderr.splitlines()) == (0, ["2 orders: 2 ordered.", "Done: 2 succeeded."])


def test_what_a_search_finds_is_ordered(root: str, item: Callable[[], str]) -> None:
    done = run(root, "order", "-c", lta.COLLECTION, "--ids", f"{item()},{item()}")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, "Done: 2 succeeded.")


def test_no_more_is_ordered_than_max_items_and_in_the_order_asked(root: str, item: Callable[[], str]) -> None:
    names = sorted((item(), item(), item()), key=lambda name: name.split("_")[2])
    ids = ",".join(names)
    done = run(root, "order", "-c", lta.COLLECTION, "--ids", ids, "--sortby", "+datetime", "--max-items", "1")
    assert done.stderr.splitlines() == [
        "There are more items than the first 1 (--max-items).",
        "1 order: 1 ordered.",
        "Done: 1 succeeded.",
    ]
    listed = run(root, "orders", "list").stdout
    assert [name in listed for name in names] == [True, False, False]


def test_a_month_may_be_ordered(root: str, item: Callable[[], str]) -> None:
    name = item()
    sensed = name.split("_")[2]
    arguments = ["-c", lta.COLLECTION, "--ids", name, "--datetime"]
    outside = run(root, "order", *arguments, "2014-06")
    assert (outside.exit_code, outside.stderr) == (0, "0 orders: nothing is offline.\n")
    within = run(root, "order", *arguments, f"{sensed[:4]}-{sensed[4:6]}")
    assert (within.exit_code, within.stderr.splitlines()[-1]) == (0, "Done: 1 succeeded.")


def test_a_download_of_what_nobody_ordered_says_to_order_it_and_does_not_wait(
    root: str, item: Callable[[], str], tmp_path: Path
) -> None:
    name = item()
    done = run(root, "download", lta.COLLECTION, name, "-o", str(tmp_path), "--longest-wait", "0")
    assert (done.exit_code, "come back" in done.stderr) == (1, False)
    assert f"Order it: `stacbridge order {lta.COLLECTION} {name}`" in " ".join(done.stderr.split())


def test_orders_that_fail_are_told_with_their_reasons(
    root: str, sim: LtaSimulator, item: Callable[[], str]
) -> None:
    sim.faults = LtaFaults(queue_seconds=0, staging_seconds=0, fail=True)
    name = item()
    done = run(root, "order", lta.COLLECTION, name)
    assert done.exit_code == 1
    assert f"{name}: The order is failed." in done.stderr


def test_orders_are_listed_shown_and_cancelled(root: str, sim: LtaSimulator, item: Callable[[], str]) -> None:
    sim.faults = LtaFaults(queue_seconds=1000, staging_seconds=1000)
    name = item()
    run(root, "order", lta.COLLECTION, name, "--no-wait")
    listed = run(root, "orders", "list", "--open")
    (line,) = [line for line in listed.stdout.splitlines() if name in line]
    id = line.split()[0]
    assert json.loads(run(root, "orders", "show", id).stdout)["item"] == name
    assert run(root, "orders", "cancel", id).stderr == f"{id}: canceled\n"
    assert name not in run(root, "orders", "list", "--open").stdout
    assert run(root, "orders", "show", "nothing").exit_code == 1


HEEDING_CTRL_C = """
import signal
from stacbridge.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""Jobs in the background of a shell are started deaf to it."""


def test_a_watch_can_be_left_with_ctrl_c_and_joined_again(
    root: str, sim: LtaSimulator, item: Callable[[], str]
) -> None:
    sim.faults = LtaFaults(queue_seconds=0, staging_seconds=1000)
    name = item()
    command = [sys.executable, "-c", HEEDING_CTRL_C, "order", lta.COLLECTION, name, "--url", root]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stderr is not None
    assert process.stderr.readline() == "1 order: 1 ordered.\n"
    process.send_signal(signal.SIGINT)
    assert "Join them again: stacbridge order --watch" in process.communicate(timeout=20)[1]
    assert process.returncode == 1
    until(lambda: name in run(root, "orders", "list", "--open").stdout)
    (line,) = [line for line in run(root, "orders", "list").stdout.splitlines() if name in line]
    run(root, "orders", "cancel", line.split()[0])
    assert run(root, "order", "--watch").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [[], ["sentinel-2-l2a"], ["sentinel-2-l2a", "x", "--ids", "y"]],
)
def test_what_to_order_must_be_said_in_one_way(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["order", *arguments]).exit_code == 2


def test_a_view_of_progress_shows_counts_and_the_release_of_a_quota() -> None:
    release = {"status": "ordered", "release": "2026-01-02T03:04:05.000000Z"}
    states: Iterator[list[Json]] = iter([[release, {"status": "shipping"}], [{"status": "succeeded"}] * 2])
    console = Console(file=StringIO(), force_terminal=True, width=120)
    pauses: list[float] = []
    assert watch(lambda: next(states), pauses.append, console) == [{"status": "succeeded"}] * 2
    assert isinstance(console.file, StringIO)
    assert "2 succeeded" in console.file.getvalue()
    assert pauses == [1.0]
