"""The documents that searches and lists are answered with, as bytes."""

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson
from starlette.responses import Response

from stacbridge.api import links
from stacbridge.api.parameters import Search
from stacbridge.errors import StacbridgeError
from stacbridge.model import Json
from stacbridge.search import Results


def respond(
    document: Json,
    media_type: str = links.JSON,
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Return a document as bytes: anything else FastAPI would walk through and copy, some 27 times dearer."""
    return Response(orjson.dumps(document), status, headers=headers, media_type=media_type)


def feature_collection(asked: Search, results: Results, page_links: list[Json]) -> Json:
    """Return the answer of a search: Items, links, their number where known, and what was left out."""
    page: Json = {
        "type": "FeatureCollection",
        "features": [asked.shown(item) for item in results.items],
        "links": page_links,
        "numberReturned": len(results.items),
    }
    if results.matched is not None:
        page["numberMatched"] = results.matched
    if results.skipped:
        reasons = Counter(skipped.reason for skipped in results.skipped)
        page["stacbridge:skipped"] = {"count": len(results.skipped), "reasons": dict(reasons)}
    return page | absent(results.missing)


def absent(missing: Mapping[str, StacbridgeError], remarks: Sequence[Json] = ()) -> Json:
    """Return the members that say which catalogues are missing from a page, and why, with other warnings.

    None without any. `federation:missing` is openEO's name (federation extension).
    """
    warnings = [
        {
            "catalogue": id,
            "code": failure.code,
            "reason": str(failure),
            **({} if failure.retry_after is None else {"retry_after": failure.retry_after}),
        }
        for id, failure in missing.items()
    ]
    told = {"federation:missing": list(missing), "stacbridge:warnings": [*warnings, *remarks]}
    return {name: value for name, value in told.items() if value}


def left_out(remarks: Mapping[str, str]) -> list[Json]:
    """Return the warnings that Collections of catalogues are left out; what to say is by the catalogue."""
    return [{"catalogue": id, "code": "CollectionsLeftOut", "reason": said} for id, said in remarks.items()]
