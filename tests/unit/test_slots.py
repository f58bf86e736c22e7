import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.download.slots import Slots
from stacbridge.errors import NotStaged


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

    def come(self, number: int, urgent: bool = False) -> asyncio.Task[None]:
        self.leave[number] = asyncio.Event()
        self.tasks[number] = asyncio.create_task(self._visit(number, urgent))
        return self.tasks[number]

    async def _visit(self, number: int, urgent: bool) -> None:
        async with self.slots.hold(urgent):
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


def crowded(size: int, queue: int = 256, wait: float = 60) -> Callable[..., None]:
    """Run a coroutine function with a crowd in front of `size` slots."""

    def decorate(test: Callable[[Crowd], Awaitable[None]]) -> None:
        async def run() -> None:
            crowd = Crowd(Slots("cdse", size, queue, wait))
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


def test_an_urgent_caller_is_served_before_those_who_wait() -> None:
    @crowded(1)
    async def _(crowd: Crowd) -> None:
        for number in range(3):
            crowd.come(number)
            await settle()
        crowd.come(9, urgent=True)
        await settle()
        crowd.leave[0].set()
        await settle()
        assert crowd.inside == [9]


def test_one_more_than_the_line_holds_is_refused_at_once_and_told_when_to_come_back() -> None:
    @crowded(1, queue=2)
    async def _(crowd: Crowd) -> None:
        for number in range(3):
            crowd.come(number)
            await settle()
        with pytest.raises(NotStaged, match="2 downloads are waiting") as refused:
            await crowd.come(3)
        assert (refused.value.status, refused.value.retry_after) == (503, 30)
        assert refused.value.upstream == "cdse"


def test_one_who_has_waited_too_long_is_refused_and_leaves_the_line() -> None:
    @crowded(1, wait=0.01)
    async def _(crowd: Crowd) -> None:
        crowd.come(0)
        await settle()
        with pytest.raises(NotStaged, match=r"within 0\.01 s"):
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
        assert crowd.inside == [], "the slot is handed on, but not yet taken"
        crowd.tasks[1].cancel()
        await settle()
        assert crowd.inside == [2]


Step = tuple[str, int]
steps = st.lists(
    st.tuples(st.sampled_from(["come", "hurry", "leave", "cancel", "tick", "settle"]), st.integers(0, 11)),
    max_size=60,
)


@given(st.integers(1, 3), steps)
def test_whoever_comes_leaves_or_gives_up_no_slot_is_lost_and_none_is_shared(
    size: int, script: list[Step]
) -> None:
    async def run(crowd: Crowd) -> None:
        for step, number in script:
            await act(crowd, step, number)
            assert len(crowd.inside) <= size
        await settle()
        waiting = [number for number, task in crowd.tasks.items() if not task.done()]
        assert len(crowd.inside) == min(size, len(waiting))

    crowded(size)(run)


async def act(crowd: Crowd, step: str, number: int) -> None:
    if step in ("come", "hurry") and number not in crowd.tasks:
        crowd.come(number, urgent=step == "hurry")
    elif step == "leave" and number in crowd.leave:
        crowd.leave[number].set()
    elif step == "cancel" and number in crowd.tasks:
        crowd.tasks[number].cancel()
    elif step == "tick":
        await asyncio.sleep(0)
    elif step == "settle":
        await settle()
