"""Golden folders: `record.json` is a product as SeDAS answers it, `item.json` the Item that it becomes.

The products are made up: no answer of the service is recorded anywhere. After a change that is meant, write
the Items anew with `python -m tests.catalogues.sedas.golden` and read the difference.
"""

import json
from pathlib import Path
from typing import Any

import orjson

from stacbridge.dialects.sedas_products import Products
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Json
from stacbridge.settings import Settings

ROOT = "https://bridge.example"
FOLDERS = sorted(file.parent for file in Path(__file__).parent.glob("*/record.json"))


def record(sedas: Mapping, folder: Path) -> Json:
    """Return a folder's product as a canonical record, found without naming its source group."""
    product = json.loads((folder / "record.json").read_bytes())
    return Products(sedas.specs.values()).record(product, None)


def translate(sedas: Mapping, folder: Path) -> dict[str, Any]:
    """Return the Item of a folder's record, as a client sees it."""
    item: dict[str, Any] = orjson.loads(orjson.dumps(sedas.item(record(sedas, folder), ROOT)))
    return item


def main() -> None:
    """Write all Items anew."""
    sedas = load("sedas", Settings())
    for folder in FOLDERS:
        text = json.dumps(translate(sedas, folder), indent=2, ensure_ascii=False)
        (folder / "item.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
