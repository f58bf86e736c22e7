"""What the archive holds, read from the TOML files beside this module."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from .orbits import Satellite, microseconds


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a product: its OData type, and the field or constant that fills it.

    `sparse` is the share of products that lack it.
    """

    name: str
    type: str
    field: str
    constant: str | int | None
    sparse: float


@dataclass(frozen=True, slots=True)
class Family:
    """Products of one kind: how many of the archive's products, and how each is made."""

    number: int
    collection: str
    view: str
    layout: str
    weight: float
    limit: int | None
    satellites: tuple[Satellite, ...]
    types: tuple[str, ...]
    name: str
    path: str
    path_suffix: str
    attributes: dict[str, Attribute]
    constants: dict[str, Any]


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("data", name).read_text(encoding="utf-8"))


@cache
def satellites() -> dict[str, Satellite]:
    """All satellites by their code, such as `S1A`."""
    found: dict[str, Satellite] = {}
    for constellation, facts in _table("satellites.toml").items():
        shared = {key: value for key, value in facts.items() if not isinstance(value, dict)}
        for serial, own in facts.items():
            if isinstance(own, dict):
                code = constellation + serial
                found[code] = _satellite(code, serial, shared | own)
    return found


def _satellite(code: str, serial: str, facts: dict[str, Any]) -> Satellite:
    times = {key: microseconds(facts[key]) for key in ("first", "last", "anx")}
    return Satellite(code=code, serial=serial, **(facts | times))


@cache
def attribute_tables() -> dict[str, dict[str, Attribute]]:
    """The attributes of each table of attributes.toml, by name."""
    return {
        table: {name: _attribute(name, *row) for name, row in rows.items()}
        for table, rows in _table("attributes.toml").items()
    }


def _attribute(name: str, type_: str, source: str, sparse: float = 0.0) -> Attribute:
    if not source.startswith("="):
        return Attribute(name, type_, source, None, sparse)
    constant = source[1:]
    return Attribute(name, type_, "", constant if type_ == "String" else int(constant), sparse)


@cache
def facts() -> dict[str, dict[str, Any]]:
    """The facts of facts.toml, by name."""
    return _table("facts.toml")


@cache
def families() -> tuple[Family, ...]:
    """Every family of families.toml, in its order."""
    return tuple(_family(number, row) for number, row in enumerate(_table("families.toml")["family"]))


def _family(number: int, row: dict[str, Any]) -> Family:
    row = dict(row)
    known = satellites()
    table = attribute_tables()[row.pop("attributes", row["collection"])]
    return Family(
        number=number,
        collection=row.pop("collection"),
        view=row.pop("view"),
        layout=row.pop("layout"),
        weight=row.pop("weight"),
        limit=row.pop("limit", None),
        satellites=tuple(known[code] for code in row.pop("satellites", [])),
        types=tuple(row.pop("types")),
        name=row.pop("name"),
        path=row.pop("path"),
        path_suffix=row.pop("path_suffix", ""),
        attributes=table,
        constants=row,
    )


@cache
def collections() -> dict[str, dict[str, str]]:
    """Every collection with the names and types of its attributes, as `Attributes(..)` lists them."""
    found: dict[str, dict[str, str]] = {}
    for family in families():
        listed = found.setdefault(family.collection, {})
        listed.update({attribute.name: attribute.type for attribute in family.attributes.values()})
    return {name: dict(sorted(listed.items())) for name, listed in found.items()}
