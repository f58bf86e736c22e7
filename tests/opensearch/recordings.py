"""Recorded conversations with OpenSearch services, where there are some."""

import os
from collections.abc import Callable
from pathlib import Path

RECORDINGS = (
    Path(os.environ["STACBRIDGE_RECORDINGS"]) / "opensearch"
    if "STACBRIDGE_RECORDINGS" in os.environ
    else None
)


def recorded(pick: Callable[[Path], bool]) -> list[Path]:
    files = sorted(RECORDINGS.rglob("*.*")) if RECORDINGS else []
    return [file for file in files if pick(file)]
