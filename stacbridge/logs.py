"""The log: a line for a person, or a JSON object for a machine; either way one line that nobody can forge.

Libraries are heard from warnings on only: what they tell of requests may hold what no log may.
"""

import json
import logging
import re
import sys
import time
from typing import Any, Literal, TextIO

from stacbridge.exchange import current

Format = Literal["text", "json"]
OURS = ("stacbridge", "uvicorn")
FIELDS = "fields"
"""The attribute of a record (`extra`) that holds further members of its line."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def configure(level: str, format: Format, stream: TextIO | None = None) -> None:
    """Log to `stream` (standard error) from now on, in place of wherever it was."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines() if format == "json" else Words())
    handler.addFilter(_known)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())


class Words(logging.Formatter):
    """Time, level, request, logger, what happened, then the further members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and below it the traceback of a failure, indented."""
        said = members(record)
        words = [said.pop(name, "-") for name in ("time", "level", "request_id", "logger", "message")]
        trace = said.pop("traceback", "")
        line = " ".join([*words, *(f"{name}={value}" for name, value in said.items())])
        return "\n    ".join(_plain(part) for part in (line, *str(trace).splitlines()))


class Lines(logging.Formatter):
    """One JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object, in ASCII: what a terminal or another reader would obey is escaped."""
        return json.dumps(members(record), default=str).replace("\x7f", r"\u007f")


def members(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a record says, by name."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    said = {
        "time": f"{at}.{int(record.msecs):03}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        "request_id": getattr(record, "request_id", None),
        **getattr(record, FIELDS, {}),
    }
    if record.exc_info:
        said["traceback"] = logging.Formatter().formatException(record.exc_info)
    return {name: value for name, value in said.items() if value is not None}


def _known(record: logging.LogRecord) -> bool:
    """Note which request a record belongs to."""
    exchange = current()
    record.request_id = None if exchange is None else exchange.id
    return True


def _plain(text: str) -> str:
    """Write out what could end a line or move a terminal's cursor."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
