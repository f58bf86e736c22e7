"""Records of TLS that are deciphered into one buffer."""

import socket
import ssl

import pytest

from stacbridge.download.records import RECORD, fill, reading


class Records:
    """Gives records of these lengths, and then what ends it; a record holds its number."""

    def __init__(self, *lengths: int, end: OSError | None = None) -> None:
        self.lengths, self.end, self.given = list(lengths), end, 0

    def read(self, most: int, buffer: memoryview) -> int:
        assert len(buffer) >= min(most, RECORD)
        if not self.lengths:
            if self.end is not None:
                raise self.end
            return 0
        length, self.given = self.lengths.pop(0), self.given + 1
        buffer[:length] = bytes([self.given]) * length
        return length


def test_records_lie_one_after_another() -> None:
    buffer = memoryview(bytearray(4 * RECORD))
    count, ended = fill(Records(3, 1, 2, end=ssl.SSLWantReadError()).read, buffer)
    assert (bytes(buffer[:count]), type(ended)) == (b"\1\1\1\2\3\3", ssl.SSLWantReadError)


def test_a_buffer_is_full_where_a_whole_record_may_not_find_room() -> None:
    source = Records(*[RECORD] * 3, 1, RECORD)
    assert fill(source.read, memoryview(bytearray(4 * RECORD))) == (3 * RECORD + 1, None)
    assert source.lengths == [RECORD]


def test_a_small_buffer_takes_one_record() -> None:
    source = Records(7, 7)
    assert fill(source.read, memoryview(bytearray(RECORD))) == (7, None)
    assert source.lengths == [7]


def test_what_came_before_the_end_counts() -> None:
    count, ended = fill(Records(5).read, memoryview(bytearray(2 * RECORD)))
    assert (count, type(ended)) == (5, ssl.SSLZeroReturnError)


@pytest.mark.parametrize("failure", [ConnectionResetError(), ssl.SSLEOFError(), ssl.SSLWantWriteError()])
def test_what_came_before_a_failure_counts(failure: OSError) -> None:
    assert fill(Records(5, end=failure).read, memoryview(bytearray(2 * RECORD))) == (5, failure)
    assert failure.__traceback__ is None  # whose frames would hold all that the connection did


def test_a_python_has_the_function_that_reads_records_without_a_frame_around_it() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        context = ssl.create_default_context()
        with context.wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False) as wrapped:
            assert type(reading(wrapped)).__name__ == "builtin_function_or_method"
