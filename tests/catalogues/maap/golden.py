"""Golden folders: `record.json` is an Item as MAAP answers it, `item.json` the Item that it becomes here.

In `collection/` it is a Collection, and `collection.json` beside it. The records are made up, plausible, and
hold the traps that real ones do. After a change that is meant, write what they become anew with
`python -m tests.catalogues.maap.golden` and read the difference.
"""

import json
from pathlib import Path
from typing import Any

import orjson

from stacbridge.mapping.mapping import load
from stacbridge.mapping.passthrough import Passthrough
from stacbridge.settings import Settings

ROOT = "https://bridge.example"
HERE = Path(__file__).parent
FOLDERS = sorted(file.parent for file in HERE.glob("*/item.json"))
COLLECTION = HERE / "collection"


def maap() -> Passthrough:
    """Return the shipped catalogue."""
    return Passthrough(load("maap", Settings()))


def record(folder: Path) -> dict[str, Any]:
    """Return what MAAP answers."""
    found: dict[str, Any] = json.loads((folder / "record.json").read_bytes())
    return found


def item(folder: Path) -> dict[str, Any]:
    """Return the Item of a folder's record, as a client sees it."""
    found, skipped = maap().items([record(folder)], ROOT)
    assert not skipped, skipped
    shown: dict[str, Any] = orjson.loads(orjson.dumps(found[0]))
    return shown


def collection() -> dict[str, Any]:
    """Return the Collection of the folder's record."""
    found = maap().collection(record(COLLECTION))
    assert found is not None
    return found


def main() -> None:
    """Write all Items and the Collection anew."""
    for file, made in [
        *((folder / "item.json", item(folder)) for folder in FOLDERS),
        (COLLECTION / "collection.json", collection()),
    ]:
        file.write_text(f"{json.dumps(made, indent=2, ensure_ascii=False)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
