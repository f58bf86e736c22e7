"""Conversations with an upstream as generators: they yield requests, are sent replies and return a value."""

from collections.abc import Callable, Generator
from typing import TypeVar

from stacbridge.errors import StacbridgeError
from stacbridge.model import Reply, Request

T = TypeVar("T")
Flow = Generator[Request, Reply, T]
Send = Callable[[Request], Reply]


def drive(flow: Flow[T], send: Send) -> T:
    """Hold a conversation over `send` and return what it comes to.

    A failure of `send` is raised where the request was yielded; a flow may go on without that answer.
    """
    try:
        request = next(flow)
        while True:
            try:
                reply = send(request)
            except StacbridgeError as failure:
                request = flow.throw(failure)
            else:
                request = flow.send(reply)
    except StopIteration as end:
        value: T = end.value
        return value
