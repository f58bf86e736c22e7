"""Answers that CDSE's catalogue and download services share: links to pages, error bodies."""

import re
import secrets
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import orjson
from starlette.responses import Response

MAX_SKIP = 10_000
MAX_TOP = 1000
DEFAULT_TOP = 20
_LAST_TIME = re.compile(r"( lt \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{3})Z$")


class Refused(Exception):
    """The request is answered with this status and JSON body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.response = json_response(body, status)


def json_response(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def detailed(status: int, message: str) -> Refused:
    """A refusal of the catalogue."""
    return Refused(status, {"detail": {"message": message, "request_id": secrets.token_hex(16)}})


def zipper(status: int, code: str, message: str) -> Refused:
    """A refusal of the download service."""
    return Refused(status, {"trace-id": secrets.token_hex(16), "code": code, "message": message})


def malformed_path() -> Refused:
    """The refusal of a path of nodes that the download service cannot read."""
    return Refused(400, {"code": "DAT-ZIP-104", "message": "Malformed OData request path"})


class Options:
    """The options of one request, in their order; raises Refused for a number out of bounds."""

    def __init__(self, query: str) -> None:
        self.pairs = parse_qsl(query, keep_blank_values=True)
        self.skip = self._number("$skip", 0, MAX_SKIP)
        self.top = self._number("$top", DEFAULT_TOP, MAX_TOP)
        self.count = self._truth("$count")
        self.filter = self.get("$filter")
        self.orderby = self.get("$orderby")
        self.expand = [part.strip() for value in self.all("$expand") for part in value.split(",")]
        self.select = self.get("$select")

    def all(self, name: str) -> list[str]:
        """Every value of one option."""
        return [value for key, value in self.pairs if key == name]

    def get(self, name: str) -> str | None:
        """The last value of one option."""
        values = self.all(name)
        return values[-1] if values else None

    def _number(self, name: str, default: int, most: int) -> int:
        text = self.get(name)
        if text is None:
            return default
        try:
            number = int(text)
        except ValueError:
            raise _out_of_bounds(name, text, "int_parsing", "Input should be a valid integer", {}) from None
        if number > most:
            message = f"Input should be less than or equal to {most}"
            raise _out_of_bounds(name, text, "less_than_equal", message, {"ctx": {"le": most}})
        if number < 0:
            message = "Input should be greater than or equal to 0"
            raise _out_of_bounds(name, text, "greater_than_equal", message, {"ctx": {"ge": 0}})
        return number

    def _truth(self, name: str) -> bool:
        return (self.get(name) or "").lower() in ("true", "1")

    def next_link(self, url: str) -> str:
        """The address of the next page: the same options in the same order, `$skip` replaced or appended.

        Like the service's own, it prints a time that ends the filter after `lt` with six decimals.
        """
        following = str(self.skip + self.top)
        pairs = [(key, following if key == "$skip" else value) for key, value in self.pairs]
        if "$skip" not in dict(pairs):
            pairs.append(("$skip", following))
        pairs = [(k, _LAST_TIME.sub(r"\1\g<2>000Z", v) if k == "$filter" else v) for k, v in pairs]
        return url + "?" + "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in pairs)


def _out_of_bounds(name: str, text: str, kind: str, message: str, more: dict[str, Any]) -> Refused:
    detail = {"type": kind, "loc": ["query", name], "msg": message, "input": text}
    return Refused(422, {"detail": [detail | more]})
