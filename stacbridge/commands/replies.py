"""What an HTTP answer that is an error says, as a failure for a person."""

from http import HTTPStatus

import orjson

from stacbridge.errors import StacbridgeError

# How much of an error's body is read and shown, in bytes and characters.
READ = 65536
SHOWN = 500
KEY = "Put a key or token for this API into STACBRIDGE_KEY, or into a file and give --key @FILE."


def refusal(status: int, body: bytes, asked: str) -> StacbridgeError:
    """Read an error answer: the `description` of a STAC API's error, else the start of its text."""
    told, advice = member(body, "description"), KEY if status == HTTPStatus.UNAUTHORIZED else None
    if told is not None:
        return StacbridgeError(told, asked=asked, advice=advice)
    text = " ".join(body[:SHOWN].decode("utf-8", "replace").split())
    answered = f"{status} {text}".strip()
    return StacbridgeError("The server refused.", asked=asked, answered=answered, advice=advice)


def member(body: bytes, name: str) -> str | None:
    """Return a text of a STAC API's error, such as its `code`; `None` where there is none."""
    try:
        error = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    told = error.get(name) if isinstance(error, dict) else None
    return told if isinstance(told, str) else None
