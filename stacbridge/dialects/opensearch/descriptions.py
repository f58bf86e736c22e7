"""Description documents of a service and its collections, kept until its collections are asked for anew."""

from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch import description
from stacbridge.dialects.opensearch.description import Description, Url
from stacbridge.dialects.opensearch.options import Options
from stacbridge.errors import UpstreamError
from stacbridge.model import Request
from stacbridge.wire.hosts import Origin

ACCEPT = "application/opensearchdescription+xml, application/xml;q=0.9"


class Descriptions:
    """The documents of one service by URL. `home` is the URL of its own."""

    def __init__(self, upstream: str, home: str, options: Options) -> None:
        self._upstream, self._home, self._options = upstream, home, options
        self._kept: dict[str, Description] = {}
        self._links: dict[str, str] = {}

    def renew(self, links: dict[str, str]) -> None:
        """Forget all documents; `links` are those of collections, by the service's name for them.

        Links to other servers are left out.
        """
        own = Origin.of(self._home)
        self._links = {key: url for key, url in links.items() if Origin.of(url) == own}
        self._kept = {}

    def results(self, key: str | None) -> Conversation[Url]:
        """Return how to search the products of a collection, or of all. Raises `UpstreamError`."""
        found = yield from self._document(key)
        return self._best(found, "results")

    def collections(self) -> Conversation[Url]:
        """Return how to search for collections: so said, or the service's one search. Raises
        `UpstreamError`."""
        found = yield from self._document(None)
        return found.url("collection") or self._best(found, "results")

    def _best(self, found: Description, rel: str) -> Url:
        url = found.url(rel, self._options.media_type)
        if url is None:
            wanted = self._options.media_type or "a type that can be read"
            raise UpstreamError(
                f"{self._upstream} describes no search that answers {wanted}.",
                upstream=self._upstream,
                asked=self._home,
                advice="Check the catalogue's description document and media_type.",
            )
        return url

    def _document(self, key: str | None) -> Conversation[Description]:
        request = self._request(key)
        name = f"{request.url} {request.params}"
        if name not in self._kept:
            reply = yield request
            self._kept[name] = description.parse(reply, self._upstream)
        return self._kept[name]

    def _request(self, key: str | None) -> Request:
        link = self._links.get(key or "")
        if link is not None:
            return Request("GET", link, headers={"Accept": ACCEPT})
        named = key is not None and self._options.collection is not None
        params = ((str(self._options.collection), str(key)),) if named else ()
        return Request("GET", self._home, params, {"Accept": ACCEPT})
