"""Golden folders of the catalogues that speak OpenSearch: `<catalogue>/<name>/answer.json` holds a collection
and a product as the service answers them, `collection.json` and `item.json` what they become.

The answers are made up after recorded ones. After a change that is meant, write the others anew with
`python -m tests.catalogues.opensearch_golden` and read the difference.
"""

import json
from pathlib import Path
from typing import Any

import orjson

from stacbridge.access.flows import drive
from stacbridge.dialects.opensearch.dialect import OpenSearch
from stacbridge.mapping.mapping import load
from stacbridge.model import Query, Reply, Request
from stacbridge.settings import Settings

ROOT = "https://bridge.example"
CATALOGUES = ("terrascope", "hrvpp", "cgls")
FOLDERS = sorted(
    file.parent for name in CATALOGUES for file in (Path(__file__).parent / name).glob("*/answer.json")
)
OSDD = """<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
<Url type="application/geo+json" rel="{rel}" template="https://service.example/{rel}?n={{count?}}&amp;i={{startIndex?}}"/>
</OpenSearchDescription>"""


def translate(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the Collection and the Item of a folder's answer, as a client sees them."""
    answer = json.loads((folder / "answer.json").read_bytes())
    mapping = load(folder.parent.name, Settings())
    dialect = OpenSearch(mapping)

    def send(request: Request) -> Reply:
        if "description" in request.url:
            rel = "results" if request.params else "collection"
            return Reply(200, {}, OSDD.format(rel=rel).encode(), request.url)
        feature = answer["collection" if request.url.endswith("/collection") else "product"]
        return Reply(200, {}, orjson.dumps({"totalResults": 1, "features": [feature]}), request.url)

    collections = drive(dialect.discover(), send)
    page = drive(dialect.walk(Query()), send)
    item = orjson.loads(orjson.dumps(mapping.item(page.records[0], ROOT)))
    return orjson.loads(orjson.dumps(collections[0])), item


def main() -> None:
    """Write all Collections and Items anew."""
    for folder in FOLDERS:
        for name, value in zip(("collection", "item"), translate(folder), strict=True):
            text = json.dumps(value, indent=2, ensure_ascii=False)
            (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
