"""What a product holds: its members, their length, and its quicklook."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from .content import SIZES
from .layouts import LAYOUTS, Product

__all__ = ["Member", "Product", "length", "members", "quicklook"]


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a product: its path below the product's own folder, and what kind of content it has."""

    path: str
    kind: str

    @property
    def size(self) -> int:
        """Length in bytes."""
        return SIZES[self.kind]


def members(product: Product) -> tuple[Member, ...]:
    """Every file of a product, in order; a single-file product has one, of the product's own name."""
    return tuple(Member(path, kind) for path, kind in LAYOUTS[product.layout](product))


@lru_cache(maxsize=1024)
def _length(layout: str, ptype: str, polarisations: tuple[str, ...], suffix: str) -> int:
    name = "S1A_" + "_".join("0" * 12) + suffix
    return sum(member.size for member in members(Product(name, layout, ptype, polarisations)))


def length(product: Product) -> int:
    """Bytes of all files together."""
    suffix = PurePosixPath(product.name).suffix if product.layout == "single" else ""
    return _length(product.layout, product.ptype, product.polarisations, suffix)


def quicklook(product: Product) -> str | None:
    """The path of the member that shows what the product looks like, if it has one."""
    for member in members(product):
        if member.path.endswith(("quick-look.png", "-ql.jpg", "quicklook.jpg", "preview.jpg")):
            return member.path
    return None
