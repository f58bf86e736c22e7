"""URLs of requests and of redirects, escaped once and safe to ask."""

from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

from stacbridge.model import Request

_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
"""What stays as it is in a Location that should be, but is not always, escaped already."""


def url_of(request: Request) -> str:
    """Return the URL of a request, its parameters escaped."""
    if not request.params:
        return request.url
    return f"{request.url}{'&' if '?' in request.url else '?'}{urlencode(request.params, quote_via=quote)}"


def target_of(url: str, location: str) -> str | None:
    """Return the address that `location` means on an answer of `url`, if it is HTTP and no less safe.

    An address with a user's name is none: it would replace the account's credentials.
    """
    try:
        target = urlsplit(urldefrag(urljoin(url, quote(location, safe=_URL_CHARACTERS))).url)
        sound = location != "" and target.hostname and target.port != 0 and "@" not in target.netloc
    except ValueError:
        return None
    secure = target.scheme == "https" or (target.scheme == "http" and not url.startswith("https:"))
    return target.geturl() if sound and secure else None
