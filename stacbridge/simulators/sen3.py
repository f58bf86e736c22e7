"""Names of the files of Sentinel-3 products, which members.toml lists by product type."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from itertools import product, zip_longest

_OPEN = re.compile(r"\[[^]]*\]|\([^)]*\)")
"""What a pattern leaves open: a range or a choice."""


def names(ptype: str, product_name: str) -> list[str]:
    """The files of a product besides its manifest and quicklook."""
    said = {
        "serial": product_name[2:3],
        "start": product_name[16:31].replace("T", ""),
        "processed": product_name[48:63].replace("T", ""),
    }
    return [pattern.format(**said) for pattern in _patterns()[ptype]]


@cache
def _patterns() -> dict[str, tuple[str, ...]]:
    table = tomllib.loads(files(__package__).joinpath("data", "members.toml").read_text(encoding="utf-8"))
    return {
        ptype: tuple(_ended(name) for pattern in patterns for name in _expand(pattern))
        for ptype, patterns in table.items()
    }


def _ended(name: str) -> str:
    return name if name.endswith(".xml") else f"{name}.nc"


def _expand(pattern: str) -> list[str]:
    """Every text that a pattern stands for."""
    choices = [_choices(part) for part in _OPEN.findall(pattern)]
    return [
        "".join(text for pair in zip_longest(_OPEN.split(pattern), chosen, fillvalue="") for text in pair)
        for chosen in product(*choices)
    ]


def _choices(part: str) -> list[str]:
    if part.startswith("("):
        return part[1:-1].split("|")
    first, last = part[1:-1].split("-")
    return [f"{number:02d}" for number in range(int(first), int(last) + 1)]
