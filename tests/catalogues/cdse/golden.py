"""Golden folders: `record.json` is a product as OData answers it, `item.json` the Item that it becomes.

The records are made up, plausible, and hold the traps that real ones do. After a change that is meant, write
the Items anew with `python -m tests.catalogues.cdse.golden` and read the difference.
"""

import json
from pathlib import Path
from typing import Any

import orjson

from stacbridge.dialects.odata import OData
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Reply
from stacbridge.settings import Settings

ROOT = "https://bridge.example"
FOLDERS = sorted(file.parent for file in Path(__file__).parent.glob("*/record.json"))


def read(cdse: Mapping, folder: Path) -> dict[str, Any]:
    """Return the record of a folder, as the dialect reads it."""
    entity = json.loads((folder / "record.json").read_bytes())
    entity_set = "Bursts" if "BurstId" in entity else "Products"
    answer = Reply(200, {}, orjson.dumps({"value": [entity]}))
    return OData(cdse, entity_set).read(answer).records[0]


def translate(cdse: Mapping, folder: Path) -> dict[str, Any]:
    """Return the Item of a folder's record, as a client sees it."""
    item: dict[str, Any] = orjson.loads(orjson.dumps(cdse.item(read(cdse, folder), ROOT)))
    return item


def main() -> None:
    """Write all Items anew."""
    cdse = load("cdse", Settings())
    for folder in FOLDERS:
        text = json.dumps(translate(cdse, folder), indent=2, ensure_ascii=False)
        (folder / "item.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
