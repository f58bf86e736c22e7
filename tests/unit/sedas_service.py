"""SeDAS in memory: the simulator's searches without its server, for dialects that are driven by hand."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, get_args

import orjson

from stacbridge.access.flows import drive
from stacbridge.dialects.sedas import SeDAS
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.model import Json, Query, Reply, Request
from stacbridge.settings import Settings
from stacbridge.simulators.sedas_finding import Order, find
from stacbridge.simulators.sedas_products import GROUPS, Product, Products, Style
from tests.leaving import left

NOW = datetime(2021, 7, 1, tzinfo=UTC)
SEDAS = load("sedas", Settings())
ORDERS: tuple[Order, ...] = get_args(Order)


def mapping(**limits: int) -> Mapping:
    """The shipped catalogue with other limits."""
    found = load("sedas", Settings())
    found.limits.update(limits)
    return found


@dataclass
class Service:
    """Answers requests as the simulator does, and keeps them."""

    products: Products
    cap: int = 100
    order: Order = "any"
    overlap: bool = False
    style: Style = "full"
    asked: list[Any] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        if request.method == "GET":
            self.asked.append(request.params)
            product = self.products.by_name.get(dict(request.params)["ids"])
            return Reply(200, {}, orjson.dumps([shown(product, self.style)] if product else []))
        body = orjson.loads(request.body or b"")
        self.asked.append(body)
        groups = tuple(group.name for group in GROUPS)
        found = find(self.products, body, groups, self.order, overlap=self.overlap)
        listed = [shown(product, self.style) for product in found[: self.cap]]
        return Reply(200, {}, orjson.dumps({"products": listed}))


def shown(product: Product, style: Style = "full") -> Json:
    """A product as the service answers it; those of the last year are online."""
    recent = product.start > NOW - timedelta(days=365)
    return product.shown(style, f"https://sedas.example/{product.name}" if recent else None)


def pages(
    dialect: SeDAS, query: Query, service: Service, most: int = 500, chance: Random | None = None
) -> list[list[Json]]:
    """Walk a search to its end; each page's records, or those taken of it by `chance`."""
    found = []
    for _ in range(most):
        page, at = left(drive(dialect.walk(query), service), chance)
        found.append(page.records)
        if at is None:
            return found
        query = replace(query, position=at)
    raise AssertionError("the walk does not end")


def dialect(of: Mapping = SEDAS) -> SeDAS:
    return SeDAS(of, wall=NOW.timestamp)


def product(number: int, seconds: int, west: int) -> Product:
    """A NovaSAR product of a minute, in a box of one degree."""
    start = datetime(2020, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    novasar = next(group for group in GROUPS if group.name == "NovaSAR")
    return Product(
        f"N{number:03}", novasar, "NovaSAR-1", "Stripmap", start, start + timedelta(seconds=60),
        (west, 50, west + 1, 51),
    )  # fmt: skip


def names(found: list[list[dict[str, str]]]) -> list[str]:
    return [record["Name"] for page in found for record in page]
