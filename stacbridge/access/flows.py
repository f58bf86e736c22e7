"""Conversations with an upstream as generators: they yield requests, are sent replies and return a value."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from stacbridge.errors import StacbridgeError
from stacbridge.model import Reply, Request

T = TypeVar("T")
Asked = Request | tuple[Request, ...]
Flow = Generator[Asked, Any, T]
Send = Callable[[Request], Reply]
Outcome = Reply | StacbridgeError


def drive(
    flow: Flow[T],
    send: Send,
    parallel: int = 8,
    step: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> T:
    """Hold a conversation over `send` and return what it comes to.

    A failure of `send` is raised where the request was yielded; a flow may go on without that answer. To a
    tuple of requests the answer is a tuple of outcomes, each a reply or a failure; they are sent by
    `parallel` threads at most. Each answer is read within a `step`, in which nothing is waited for.
    """
    try:
        asked = next(flow)
        while True:
            if isinstance(asked, tuple):
                outcomes = _all(asked, send, parallel)
                with step():
                    asked = flow.send(outcomes)
                continue
            try:
                reply = send(asked)
            except StacbridgeError as failure:
                asked = flow.throw(failure)
            else:
                with step():
                    asked = flow.send(reply)
    except StopIteration as end:
        value: T = end.value
        return value


def recalled(flow: Flow[T], known: Callable[[Request], Reply | None]) -> T | None:
    """Return what a conversation comes to where all answers are `known` already, else `None`.

    Raises what the conversation raises.
    """
    try:
        asked = next(flow)
        while isinstance(asked, Request) and (reply := known(asked)) is not None:
            asked = flow.send(reply)
    except StopIteration as end:
        value: T = end.value
        return value
    flow.close()
    return None


def _all(asked: tuple[Request, ...], send: Send, parallel: int) -> tuple[Outcome, ...]:
    def outcome(request: Request) -> Outcome:
        try:
            return send(request)
        except StacbridgeError as failure:
            return failure

    if min(len(asked), parallel) <= 1:
        return tuple(map(outcome, asked))
    with ThreadPoolExecutor(min(len(asked), parallel), thread_name_prefix="together") as threads:
        return tuple(threads.map(outcome, asked))
