"""Failures as HTTP answers: one JSON shape everywhere, whoever noticed the failure first."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from stacbridge.api.headers import proxy_status
from stacbridge.errors import BadRequest, StacbridgeError
from stacbridge.exchange import identified
from stacbridge.model import Json

PATIENCE = 30
"""Seconds at most in Retry-After: pystac-client sleeps them word for word, five times over."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

SERVER_FAULT: Json = {
    "code": "InternalServerError",
    "description": "The bridge failed on this request. Its log says why.",
}


def install(app: FastAPI) -> None:
    """Answer every failure of `app` in the one shape."""
    app.add_exception_handler(StacbridgeError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def answer(error: StacbridgeError) -> Response:
    """Return the HTTP answer that `error` becomes."""
    headers = error.headers()
    if "Retry-After" in headers:
        headers["Retry-After"] = str(min(int(headers["Retry-After"]), PATIENCE))
    if error.upstream is not None:
        headers |= proxy_status({error.upstream: error})
    return _response(error.status, error.body(), headers)


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, StacbridgeError)
    return answer(error)


async def _invalid(_: Request, error: Exception) -> Response:
    """Say what is off without repeating the values, which may hold a credential."""
    assert isinstance(error, RequestValidationError)
    places = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
    return answer(BadRequest(f"The request cannot be read: {'; '.join(places)}."))


async def _http(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: unknown paths, methods that a path does not have."""
    assert isinstance(error, HTTPException)
    code = "".join(HTTPStatus(error.status_code).phrase.title().split())
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return _response(error.status_code, {"code": code, "description": str(error.detail)}, headers)


def _allowed(request: Request) -> str:
    """Return the methods that a path takes on any of its routes; the framework tells those of the first."""

    def takes(method: str) -> bool:
        asked = {**request.scope, "method": method}
        return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(method for method in METHODS if takes("GET" if method == "HEAD" else method))


async def _unexpected(_: Request, __: Exception) -> Response:
    """Answer a fault of ours; the server's log gets the exception."""
    return _response(500, SERVER_FAULT, None)


def _response(status: int, body: Json, headers: Mapping[str, str] | None) -> Response:
    return Response(orjson.dumps(identified(body)), status, headers, media_type="application/json")
