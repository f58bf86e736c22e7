"""Conversations side by side: each is answered what it asked, whatever becomes of the others."""

from threading import Barrier

import pytest

from stacbridge.access.flows import drive
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.together import together
from stacbridge.errors import NotFound, UpstreamError
from stacbridge.model import Reply, Request


def asking(*names: str) -> Conversation[list[str]]:
    """Ask one after another; what is missing is passed over."""
    found = []
    for name in names:
        try:
            reply = yield Request("GET", name)
        except NotFound:
            continue
        found.append(reply.body.decode())
    return found


def echo(request: Request) -> Reply:
    if request.url == "missing":
        raise NotFound("There is nothing here.")
    if request.url == "broken":
        raise UpstreamError("It is broken.")
    return Reply(200, {}, request.url.encode())


@pytest.mark.parametrize("parallel", [1, 2, 8])
def test_each_conversation_gets_its_own_answers_in_its_own_time(parallel: int) -> None:
    flows = [asking("a", "b", "c"), asking(), asking("missing", "d"), asking("e")]
    assert drive(together(flows), echo, parallel) == [["a", "b", "c"], [], ["d"], ["e"]]


def test_conversations_within_conversations_are_asked_at_once_too() -> None:
    nested = together([together([asking("a", "b"), asking("missing", "c")]), together([asking("d")])])
    assert drive(nested, echo) == [[["a", "b"], ["c"]], [["d"]]]


def test_what_is_asked_at_once_is_sent_at_once() -> None:
    meeting = Barrier(3, timeout=10)

    def waiting(request: Request) -> Reply:
        meeting.wait()
        return echo(request)

    assert drive(together([asking("a"), asking("b"), asking("c")]), waiting, 3) == [["a"], ["b"], ["c"]]


def test_a_failure_that_a_conversation_does_not_expect_ends_them_all() -> None:
    with pytest.raises(UpstreamError, match="It is broken"):
        drive(together([asking("a", "b"), asking("broken")]), echo)
