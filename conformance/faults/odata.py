"""CDSE over an OData service that answers as it is told, beside a catalogue in good health."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from conformance.faults.kit import heard, served
from stacbridge.loading import load
from stacbridge.model import Json
from stacbridge.settings import Settings
from tests.api.archive import alpha
from tests.servers import Answer, Seen, Server, serving
from tests.unit.odata_archive import as_listed
from tests.unit.toy import NAME, grd

COLLECTION = "sentinel-1-grd-non-cog"
QUICK: dict[str, Any] = {"retries": 0, "max_reply_bytes": 1_000_000}


def name(number: int) -> str:
    """Return the name of a product."""
    return f"{NAME[:-9]}{number:04X}.SAFE"


def product(number: int, **members: Any) -> Json:
    """Return a product as OData lists it; `members` in place of its own."""
    return as_listed(grd(**{"Id": f"id-{number}", "Name": name(number), **members}))


def listed(*records: Json, **members: Any) -> bytes:
    """Return a page of products, with further members."""
    return orjson.dumps({"value": records, **members})


@contextmanager
def archive(answer: Callable[[Seen], bytes | Answer], **more: Any) -> Iterator[tuple[int, Server]]:
    """Serve CDSE over an OData service that answers every search so, beside a catalogue in good health."""

    def script(seen: Seen) -> Answer:
        given = answer(seen)
        return given if isinstance(given, Answer) else Answer(body=given)

    with serving(script) as upstream:
        settings = {**QUICK, **more, "endpoints": {"cdse": {"catalogue": f"{upstream.url}/odata/v1"}}}
        with served(load("cdse", Settings(**settings)), alpha(), **settings) as port:
            yield port, upstream


def search(port: int, query: str = f"collections={COLLECTION}") -> tuple[int, Json]:
    """Return status and body of a search."""
    answer = heard(port, f"/search?{query}")
    return answer.status, dict(orjson.loads(answer.body))
