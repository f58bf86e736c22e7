"""A file that is still arriving: its bytes so far, and which version of the resource they belong to."""

import os
from pathlib import Path
from typing import BinaryIO


class Part:
    """`<name>.part` beside the file, and `<name>.part.validator` with the HTTP validator that If-Range needs.

    Both outlive the process, so that an interrupted download goes on where it stopped.
    """

    def __init__(self, path: Path) -> None:
        self.final = path
        self.path = path.with_name(f"{path.name}.part")
        self._validator = path.with_name(f"{path.name}.part.validator")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def validator(self) -> str | None:
        """The ETag or Last-Modified that the bytes came with, where there was one."""
        return self._validator.read_text("utf-8") if self._validator.exists() else None

    def begin(self, validator: str | None) -> BinaryIO:
        """Drop what has arrived, and open for writing from the start."""
        self.discard()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if validator is not None:
            self._validator.write_text(validator, "utf-8")
        return self.path.open("wb")

    def resume(self) -> BinaryIO:
        """Open for writing after what has arrived."""
        return self.path.open("ab")

    def complete(self) -> None:
        """Give the file its name, in one step."""
        os.replace(self.path, self.final)
        self._validator.unlink(missing_ok=True)

    def discard(self) -> None:
        """Drop what has arrived."""
        self.path.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)
