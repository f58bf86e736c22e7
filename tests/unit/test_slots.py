import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.download.slots import RECOVERY, Slots
from stacbridge.errors import NotStaged
from tests.servers import Clock


async def settle() -> None:
    """Let every task go on as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


class Crowd:
    """Callers of one account's slots, by number, in the order in which they came in and left."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.inside: list[int] = []
        self.entered: list[int] = []
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.leave: dict[int, asyncio.Event] = {}

    def come(self, number: int, user: str = "anyone") -> asyncio.Task[None]:
        self.leave[number] = asyncio.Event()
        self.tasks[number] = asyncio.create_task(self._visit(number, user))
        return self.tasks[number]

    async def _visit(self, number: int, user: str) -> None:
        async with self.slots.hold(user):
            self.inside.append(number)
            self.entered.append(number)
            try:
                await self.leave[number].wait()
            finally:
                self.inside.remove(number)

    async def end(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


def crowded(
    size: int, queue: int = 256, wait: float = 60, clock: Clock | None = None
) -> Callable[[Callable[[Crowd], Awaitable[None]]], None]:
    """Run a coroutine function with a crowd in front of `size` slots."""

    def decorate(test: Callable[[Crowd], Awaitable[None]]) -> None:
        async def run() -> None:
            slots = Slots("cdse", size, queue, wait, clock) if clock else Slots("cdse", size, queue, wait)
            crowd = Crowd(slots)
            try:
                await test(crowd)
            finally:
                await crowd.end()

        asyncio.run(run())

    return decorate


def test_those_who_wait_are_served_in_the_order_in_which_they_came() -> None:
    @crowded(1)
    async def _(crowd: Crowd) -> None:
        for number in range(4):
            crowd.come(number)
            await settle()
        for number in range(4):
            crowd.leave[number].set()
            await settle()
        assert crowd.entered == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [1, 4])
def test_five_hundred_downloads_of_one_user_delay_anothers_first_by_no_more_than_one_slot(size: int) -> None:
    @crowded(size, queue=1000)
    async def _(crowd: Crowd) -> None:
        for number in range(500):
            crowd.come(number, "greedy")
        await settle()
        crowd.come(999, "modest")
        await settle()
        assert crowd.slots.status("modest")["yours"]["positions"] == [1]
        crowd.leave[crowd.inside[0]].set()
        await settle()
        assert 999 in crowd.inside


def test_a_free_slot_goes_to_the_user_who_has_the_fewest_then_in_turn() -> None:
    @crowded(2)
    async def _(crowd: Crowd) -> None:
        for number, user in enumerate("aaaaabbc"):
            crowd.come(number, user)
            await settle()
        for _ in range(8):
            crowd.leave[crowd.inside[0]].set()
            await settle()
        assert crowd.entered == [0, 1, 5, 7, 2, 6, 3, 4]


def test_the_position_in_line_is_the_turn_that_comes() -> None:
    @crowded(2)
    async def _(crowd: Crowd) -> None:
        for number, user in enumerate("aaaabb"):
            crowd.come(number, user)
            await settle()
        status = crowd.slots.status("a")
        assert (status["in_use"], status["waiting"]) == (2, 4)
        assert crowd.slots.status("a")["yours"]["positions"] == [3, 4]
        assert crowd.slots.status("b")["yours"]["positions"] == [1, 2]


def test_one_more_than_the_line_holds_is_refused_at_once_and_told_when_to_come_back() -> None:
    @crowded(1, queue=2)
    async def _(crowd: Crowd) -> None:
        for number in range(3):
            crowd.come(number)
            await settle()
        with pytest.raises(NotStaged, match="2 downloads are waiting") as refused:
            await crowd.come(3)
        assert (refused.value.status, refused.value.retry_after) == (503, 90)
        assert refused.value.upstream == "cdse"


def test_a_full_line_makes_room_for_another_user_at_the_expense_of_the_longest() -> None:
    @crowded(1, queue=3)
    async def _(crowd: Crowd) -> None:
        for number in range(4):
            crowd.come(number, "greedy")
            await settle()
        crowd.come(9, "modest")
        with pytest.raises(NotStaged):
            await crowd.tasks[3]
        crowd.leave[0].set()
        await settle()
        assert crowd.inside == [9]


def test_one_who_has_waited_too_long_is_refused_and_leaves_the_line() -> None:
    @crowded(1, wait=0.01)
    async def _(crowd: Crowd) -> None:
        crowd.come(0)
        await settle()
        with pytest.raises(NotStaged, match=r"within 0\.01 s for number 1 in line"):
            await crowd.come(1)
        crowd.leave[0].set()
        await settle()
        crowd.come(2)
        await settle()
        assert crowd.inside == [2]


def test_a_slot_handed_to_one_who_leaves_in_the_same_moment_goes_to_the_next() -> None:
    @crowded(1)
    async def _(crowd: Crowd) -> None:
        for number in range(3):
            crowd.come(number)
            await settle()
        crowd.leave[0].set()
        await asyncio.sleep(0)
        crowd.tasks[1].cancel()
        await settle()
        assert crowd.inside == [2]


def test_each_429_takes_a_connection_away_and_a_quiet_minute_gives_one_back() -> None:
    clock = Clock()

    @crowded(4, clock=clock)
    async def _(crowd: Crowd) -> None:
        slots = crowd.slots
        allowed = []
        for _ in range(5):
            slots.refused(429, None)
            allowed.append(slots.allowed)
        for _ in range(4):
            clock.sleep(RECOVERY)
            allowed.append(slots.allowed)
        assert allowed == [3, 2, 1, 1, 1, 2, 3, 4, 4]


def test_fewer_connections_hold_for_those_who_come_later() -> None:
    @crowded(2)
    async def _(crowd: Crowd) -> None:
        crowd.slots.refused(429, None)
        crowd.come(0)
        crowd.come(1)
        await settle()
        assert crowd.inside == [0]


def test_nobody_asks_before_the_time_that_the_upstream_states_and_it_is_capped() -> None:
    clock = Clock()

    @crowded(4, wait=1000, clock=clock)
    async def _(crowd: Crowd) -> None:
        crowd.slots.refused(503, 10**9)
        assert crowd.slots.status("anyone")["paused_seconds"] == 900
        crowd.come(0)
        await settle()
        assert crowd.inside == []
        clock.sleep(900)
        crowd.come(1)
        await settle()
        assert crowd.slots.pause == 0


def test_a_pause_that_is_longer_than_anyone_waits_is_told_at_once() -> None:
    @crowded(4, wait=60, clock=Clock())
    async def _(crowd: Crowd) -> None:
        crowd.slots.refused(429, 600)
        with pytest.raises(NotStaged) as refused:
            await crowd.come(0)
        assert refused.value.retry_after == 600


def test_a_short_pause_ends_by_itself() -> None:
    @crowded(4, wait=60)
    async def _(crowd: Crowd) -> None:
        crowd.slots.refused(429, 1)
        crowd.come(0)
        await settle()
        assert crowd.inside == []
        async with asyncio.timeout(5):
            while not crowd.inside:
                await asyncio.sleep(0.01)


Step = tuple[str, int]
steps = st.lists(
    st.tuples(st.sampled_from(["come", "leave", "cancel", "refuse", "tick", "settle"]), st.integers(0, 11)),
    max_size=60,
)


@given(st.integers(1, 3), st.integers(1, 6), steps)
def test_whoever_comes_leaves_or_gives_up_no_slot_is_lost_and_none_is_shared(
    size: int, queue: int, script: list[Step]
) -> None:
    clock = Clock()

    async def run(crowd: Crowd) -> None:
        for step, number in script:
            await act(crowd, step, number)
            assert len(crowd.inside) <= size
        await settle()
        clock.sleep(size * RECOVERY)
        crowd.come(99, "last")
        await settle()
        waiting = [number for number, task in crowd.tasks.items() if not task.done()]
        for number in waiting:
            crowd.leave[number].set()
        await settle()
        await settle()
        assert all(crowd.tasks[number].done() for number in waiting)
        assert crowd.slots.status("last")["in_use"] == 0
        assert not crowd.slots.busy

    crowded(size, queue, 10**6, clock)(run)


async def act(crowd: Crowd, step: str, number: int) -> None:
    if step == "come" and number not in crowd.tasks:
        crowd.come(number, "abc"[number % 3])
    elif step == "leave" and number in crowd.leave:
        crowd.leave[number].set()
    elif step == "cancel" and number in crowd.tasks:
        crowd.tasks[number].cancel()
    elif step == "refuse":
        crowd.slots.refused(429, None)
    elif step == "tick":
        await asyncio.sleep(0)
    elif step == "settle":
        await settle()
