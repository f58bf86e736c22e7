"""The files of a catalogue: its own, what it includes, and its families."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from stacbridge.errors import Misconfigured
from stacbridge.mapping import tables
from stacbridge.mapping.tables import Table
from stacbridge.model import Json
from stacbridge.settings import Settings


def read(catalogue: str, settings: Settings) -> tuple[Table, list[Table]]:
    """Return a catalogue's own table and those of its families: from `settings.catalogue_folder` where they
    are there, else shipped ones. Raises `Misconfigured`."""
    for folder in _folders(settings):
        file = folder / f"{catalogue}.toml"
        if file.is_file():
            top = tables.read(file)
            _include(top)
            parts = [*_own_family(top), *_parts(folder / catalogue)]
            return top, parts
    raise Misconfigured(f"There is no catalogue {catalogue!r}.", advice="Check the setting `catalogues`.")


def available(settings: Settings) -> dict[str, Path | Traversable]:
    """Return the file of every catalogue that there is, by id; one's own goes before a shipped one.

    Raises `Misconfigured` where the folder of one's own cannot be read.
    """
    try:
        found = [file for folder in reversed(_folders(settings)) for file in folder.iterdir()]
    except OSError as error:
        told = f"catalogue_folder: {settings.catalogue_folder} cannot be read."
        raise Misconfigured(told, answered=error.strerror, advice="See who may read there.") from error
    files = {file.name.removesuffix(".toml"): file for file in found if file.name.endswith(".toml")}
    return dict(sorted(files.items()))


def endpoints(catalogue: str, settings: Settings) -> frozenset[str]:
    """Return the names of the endpoints in a catalogue's file. Raises `Misconfigured`."""
    return frozenset(tables.read(available(settings)[catalogue]).table("endpoints").strings())


def _include(top: Table) -> None:
    """Put the shared rows that a catalogue includes before its own, which win."""
    shared: list[Any] = []
    for name in top.texts("include"):
        file = files("stacbridge") / "catalogues" / "includes" / f"{name}.toml"
        if not file.is_file():
            raise top.wrong("include", f"there is no {name!r} to include")
        shared += tables.read(file).take("field", list)
    if shared:
        own = top.members.get("field", [])
        named = {row.get("stac") for row in own if isinstance(row, dict)}
        top.members["field"] = [*(row for row in shared if row["stac"] not in named), *own]


def _own_family(top: Table) -> Iterator[Table]:
    """Take the family that a catalogue's own file holds out of it."""
    members: Json = {key: top.members.pop(key) for key in ("family", "collection") if key in top.members}
    if members:
        yield Table(top.file, "", members)


def _folders(settings: Settings) -> list[Path | Traversable]:
    shipped = files("stacbridge") / "catalogues"
    return [settings.catalogue_folder, shipped] if settings.catalogue_folder else [shipped]


def _parts(folder: Path | Traversable) -> Iterator[Table]:
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []
    return (tables.read(entry) for entry in entries if entry.name.endswith(".toml"))
