"""Conversations with an upstream that are held side by side."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from stacbridge.dialects.dialect import Asked, Conversation
from stacbridge.errors import StacbridgeError

T = TypeVar("T")


def together(conversations: Iterable[Conversation[T]]) -> Conversation[list[T]]:
    """Return what several conversations come to; what they ask next is asked at once.

    A failure is raised in the conversation that asked. Where one ends with a failure, so does all of it.
    """
    flows = list(conversations)
    found: dict[int, T] = {}
    pending: dict[int, Asked] = {}

    def advance(number: int, step: Callable[[], Asked]) -> None:
        try:
            pending[number] = step()
        except StopIteration as end:
            found[number] = end.value

    for number, flow in enumerate(flows):
        advance(number, flow.__next__)
    while pending:
        asked, pending = pending, {}
        outcomes = iter((yield tuple(request for each in asked.values() for request in _several(each))))
        for number, each in asked.items():
            own = tuple(next(outcomes) for _ in _several(each))
            advance(number, _answering(flows[number], own if isinstance(each, tuple) else own[0]))
    return [found[number] for number in range(len(flows))]


def _several(asked: Asked) -> tuple[Any, ...]:
    return asked if isinstance(asked, tuple) else (asked,)


def _answering(flow: Conversation[T], outcome: Any) -> Callable[[], Asked]:
    if isinstance(outcome, StacbridgeError):
        return lambda: flow.throw(outcome)
    return lambda: flow.send(outcome)
