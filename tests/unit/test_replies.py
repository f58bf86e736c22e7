"""What is remembered of an upstream's answers to searches."""

import pytest

from stacbridge.errors import UpstreamError
from stacbridge.model import Reply, Request
from stacbridge.wire.replies import Replies
from tests.servers import Clock

PAGE = Request("GET", "https://upstream.example/Products", (("$top", "2"),))


class Upstream:
    """Numbers its answers, each of 40 bytes."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: Request) -> Reply:
        self.asked += 1
        return Reply(200, {}, f"{self.asked:040}".encode())


def read(replies: Replies, request: Request = PAGE) -> int:
    with replies.reading() as find:
        return int(find(request).body)


def other(**members: str) -> Request:
    return Request("GET", PAGE.url, tuple(members.items()))


def test_the_same_request_is_answered_from_memory_for_a_while() -> None:
    clock = Clock()
    replies = Replies(30, 1000, Upstream(), clock=clock)
    assert [read(replies), read(replies)] == [1, 1]
    clock.now += 30
    assert read(replies) == 2


@pytest.mark.parametrize(
    "different",
    [
        Request("POST", PAGE.url, PAGE.params),
        Request("GET", f"{PAGE.url}/", PAGE.params),
        other(top="3"),
        Request("GET", PAGE.url, PAGE.params, body=b"{}"),
    ],
)
def test_another_request_is_another_answer(different: Request) -> None:
    replies = Replies(30, 1000, Upstream(), clock=Clock())
    assert [read(replies), read(replies, different)] == [1, 2]


def test_no_more_bytes_are_kept_than_allowed() -> None:
    upstream = Upstream()
    replies = Replies(30, 100, upstream, clock=Clock())
    for number in range(3):
        read(replies, other(skip=str(number)))
    assert [read(replies, other(skip=str(number))) for number in (2, 1)] == [3, 2]
    assert read(replies, other(skip="0")) == 4


def test_an_answer_larger_than_all_that_may_be_kept_is_given_and_forgotten() -> None:
    replies = Replies(30, 39, Upstream(), clock=Clock())
    assert [read(replies), read(replies)] == [1, 2]


def test_answers_that_turn_out_to_be_none_are_forgotten() -> None:
    replies = Replies(30, 1000, Upstream(), clock=Clock())
    with pytest.raises(UpstreamError), replies.reading() as find:
        find(PAGE)
        raise UpstreamError("That was no page.")
    assert read(replies) == 2
