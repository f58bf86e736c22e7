import io
import logging
import sys

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.exchange import Exchange, answering
from stacbridge.logs import Format, Lines, Words, configure

FORMATTERS = pytest.mark.parametrize("formatter", [Words(), Lines()], ids=["text", "json"])


def record(message: str, failure: BaseException | None = None) -> logging.LogRecord:
    info = None if failure is None else (type(failure), failure, failure.__traceback__)
    return logging.LogRecord("stacbridge.x", logging.WARNING, __file__, 1, message, None, info)


@FORMATTERS
@given(message=st.text())
def test_whatever_is_said_is_one_line_that_moves_no_cursor(
    formatter: logging.Formatter, message: str
) -> None:
    line = formatter.format(record(message))
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)
    assert len(line.splitlines()) == 1


def test_what_a_client_says_cannot_look_like_a_line_of_its_own() -> None:
    line = Words().format(record("for canary\r\n2026-01-01T00:00:00.000Z critical \x1b[31mforged"))
    assert line.endswith(r"for canary\r\n2026-01-01T00:00:00.000Z critical \x1b[31mforged")


def test_a_traceback_is_indented_and_cannot_forge_a_line_either() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError as failure:
        told = Words().format(record("failed", failure))
    assert all(line.startswith("    ") for line in told.splitlines()[1:])
    assert told.splitlines()[-1] == "    second"


def test_a_json_line_has_its_members_by_name() -> None:
    said = record("request")
    said.fields = {"status": 200, "principal": None}
    told = orjson.loads(Lines().format(said))
    assert told.pop("time").endswith("Z")
    assert told == {"level": "warning", "logger": "stacbridge.x", "message": "request", "status": 200}


@pytest.mark.parametrize("format", ["text", "json"])
def test_lines_of_a_request_have_its_id_and_libraries_are_heard_from_warnings_on(format: Format) -> None:
    stream = io.StringIO()
    configure("debug", format, stream)
    with answering(Exchange("the-id")):
        logging.getLogger("stacbridge.wire").debug("asked")
        logging.getLogger("urllib3.connectionpool").debug("GET /?token=canary")
        logging.getLogger("urllib3.connectionpool").warning("retrying")
    logging.getLogger("stacbridge").debug("outside")
    first, second, third = stream.getvalue().splitlines()
    assert "the-id" in first
    assert "retrying" in second
    assert "the-id" not in third


def test_the_log_goes_to_standard_error() -> None:
    configure("warning", "text")
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
