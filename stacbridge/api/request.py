"""What a request says before anything is read into it: where the API is, the URL's parameters, the body."""

import orjson
from starlette.requests import Request

from stacbridge.api import intervals
from stacbridge.errors import BadRequest
from stacbridge.hrefs import SLASH
from stacbridge.model import Json


def root_of(request: Request) -> str:
    """Return the API's URL as the client sees it, without a slash at the end."""
    return str(request.base_url).rstrip("/")


def parameters_of(request: Request) -> list[tuple[str, str]]:
    """Return a URL's parameters; QGIS sends instants without a time zone, which are taken as UTC."""
    pairs = request.query_params.multi_items()
    if "QGIS" not in request.headers.get("user-agent", ""):
        return pairs
    return [(name, intervals.assume_utc(text) if name == "datetime" else text) for name, text in pairs]


async def restore_slashes(request: Request) -> None:
    """Put back the slashes within ids, now that the path is divided. FastAPI reads parameters after this."""
    found = request.path_params
    found |= {name: text.replace(SLASH, "/") for name, text in found.items() if SLASH in text}


async def body_of(request: Request) -> Json:
    """Return the JSON object that is posted, whatever its type is called. Raises `BadRequest`."""
    try:
        given = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.", parameter="body") from None
    if not isinstance(given, dict):
        raise BadRequest("The body must be a JSON object.", parameter="body")
    return given
