"""Rows of the order book's tables, and what they are rows of."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import fields

from stacbridge.orders.database import Execute, Row
from stacbridge.orders.records import FINISHED, WAITING, Key, Order, Product

COLUMNS = tuple(field.name for field in fields(Product))
PRODUCT = ", ".join(f"p.{name}" for name in COLUMNS)
ORDER = f"r.id, r.principal, r.asked, r.canceled, {PRODUCT}"
ASKED = "requests r JOIN products p ON p.seq = r.product"
ANEW = ", notice_at = excluded.notice_at, notice_since = excluded.notice_since, notice_tries = 0"
CHANGING = tuple(name for name in COLUMNS if name != "seq" and name not in Key.__slots__)


def marks(values: Collection[object]) -> str:
    """Return a mark for each value of a list in a statement."""
    return ", ".join("?" * len(values))


def product(row: Row) -> Product:
    """Return the product of a row with `COLUMNS`."""
    return Product(**{name: row[name] for name in COLUMNS})


def order(row: Row) -> Order:
    """Return the order of a row with `ORDER`, and perhaps `position`."""
    position = row.get("position") if row["state"] in WAITING else None
    return Order(row["id"], row["principal"], row["asked"], row["canceled"], product(row), position)


def insert(execute: Execute, product: Product) -> int | None:
    """Write a new product and return its number; `None` where there is one of its key already."""
    names = COLUMNS[1:]
    rows = execute(
        f"INSERT INTO products ({', '.join(names)}) VALUES ({marks(names)})"
        " ON CONFLICT (archive, catalogue, collection, item) DO NOTHING RETURNING seq",
        *(getattr(product, name) for name in names),
    )
    return rows[0]["seq"] if rows else None


def write(execute: Execute, product: Product, fence: int) -> bool:
    """Write all that can change of a product; False where it has another fence by now."""
    changes = ", ".join(f"{name} = ?" for name in CHANGING)
    values = (getattr(product, name) for name in CHANGING)
    statement = f"UPDATE products SET {changes} WHERE seq = ? AND fence = ? RETURNING seq"
    return bool(execute(statement, *values, product.seq, fence))


def untell(execute: Execute, product: Product) -> None:
    """Write that nobody has been told of a product: its bytes are away, and will be news again."""
    execute("UPDATE requests SET notice_at = NULL, notice_since = NULL WHERE product = ?", product.seq)


def ask(
    execute: Execute,
    product: Product,
    principal: str,
    now: float,
    url: Callable[[str], str],
    webhook: str | None,
) -> Order:
    """Write that a principal asks for a product, perhaps again, and return their one order of it.

    `url` makes an order's URL of its id. Without a webhook the order keeps the one that it has.
    """
    id = secrets.token_urlsafe(12)
    over = now if webhook is not None and product.state in FINISHED else None
    told = "" if webhook is None and product.state in FINISHED else ANEW
    rows = execute(
        "INSERT INTO requests (id, product, principal, asked, owed, url, webhook,"
        " notice_at, notice_since, notice_tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
        " ON CONFLICT (product, principal) DO UPDATE SET canceled = NULL, owed = excluded.owed,"
        f" webhook = COALESCE(excluded.webhook, requests.webhook){told} RETURNING id, asked",
        id,
        product.seq,
        principal,
        now,
        now,
        url(id),
        webhook,
        over,
        over,
    )
    return Order(rows[0]["id"], principal, rows[0]["asked"], None, product)


def record(execute: Execute, product: Product, now: float) -> None:
    """Write that a product entered its state."""
    execute(
        "INSERT INTO events (product, at, state, reason) VALUES (?, ?, ?, ?)",
        product.seq,
        now,
        product.state,
        product.reason,
    )
