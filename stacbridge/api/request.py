"""What a request says before anything is read into it: where the API is, and the URL's parameters."""

from starlette.requests import Request

from stacbridge.api import intervals


def root_of(request: Request) -> str:
    """Return the API's URL as the client sees it, without a slash at the end."""
    return str(request.base_url).rstrip("/")


def parameters_of(request: Request) -> list[tuple[str, str]]:
    """Return a URL's parameters; QGIS sends instants without a time zone, which are taken as UTC."""
    pairs = request.query_params.multi_items()
    if "QGIS" not in request.headers.get("user-agent", ""):
        return pairs
    return [(name, intervals.assume_utc(text) if name == "datetime" else text) for name, text in pairs]
