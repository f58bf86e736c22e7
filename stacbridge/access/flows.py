"""Conversations with an upstream as generators: they yield requests, are sent replies and return a value."""

from collections.abc import Callable, Generator
from typing import TypeVar

from stacbridge.model import Reply, Request

T = TypeVar("T")
Flow = Generator[Request, Reply, T]
Send = Callable[[Request], Reply]


def drive(flow: Flow[T], send: Send) -> T:
    """Hold a conversation over `send` and return what it comes to."""
    try:
        request = next(flow)
        while True:
            request = flow.send(send(request))
    except StopIteration as end:
        value: T = end.value
        return value
