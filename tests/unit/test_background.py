"""What is done behind downloads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import current_thread, main_thread

import pytest

from stacbridge.callers.threads import Threads
from stacbridge.download.background import Background

USER: ContextVar[str] = ContextVar("USER")


def test_many_who_want_the_same_soon_have_it_done_once_and_again_later() -> None:
    done: list[str] = []

    async def scenario() -> None:
        with ThreadPoolExecutor(2) as threads:
            background = Background(threads, delay=60)
            for _ in range(5):
                background.later(done.append, "a")
                background.later(done.append, "b")
            assert done == []
            await background.finish()
            assert sorted(done) == ["a", "b"]
            background.later(done.append, "a")
            await background.finish()

    asyncio.run(scenario())
    assert sorted(done) == ["a", "a", "b"]


def test_it_is_done_by_itself_in_a_thread_as_whoever_asked_first() -> None:
    async def scenario() -> tuple[str, bool]:
        told: asyncio.Future[tuple[str, bool]] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()

        def tell() -> None:
            found = (USER.get(), current_thread() is main_thread())
            loop.call_soon_threadsafe(told.set_result, found)

        with Threads(1) as threads:
            background = Background(threads, delay=0)
            for user in ("ada", "bob"):
                USER.set(user)
                background.later(tell)
            async with asyncio.timeout(10):
                return await told

    assert asyncio.run(scenario()) == ("ada", False)


def test_what_fails_goes_to_the_log_and_hinders_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def fail() -> None:
        raise OSError("the disk is full")

    async def scenario() -> None:
        with ThreadPoolExecutor(1) as threads:
            background = Background(threads, delay=60)
            background.later(fail)
            background.later(done.append, "a")
            await background.finish()

    asyncio.run(scenario())
    assert done == ["a"]
    assert "fail failed." in caplog.text and "the disk is full" in caplog.text
