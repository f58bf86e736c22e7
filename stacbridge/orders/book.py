"""The order book: every write is one transaction, and what it returns is on disk."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from stacbridge.orders import rows as row
from stacbridge.orders import transitions
from stacbridge.orders.database import Database, Execute, Row
from stacbridge.orders.records import FINISHED, OPEN, Event, Key, Order, Product
from stacbridge.orders.rows import ASKED, ORDER, PRODUCT, marks
from stacbridge.orders.transitions import CHECK

POSITION = """(SELECT count(*) + 1 FROM products q WHERE q.archive = p.archive AND q.seq < p.seq
    AND q.state IN ('intended', 'sending'))"""
OF_ITEM = "r.principal = ? AND p.collection = ? AND p.item = ?"


class Book:
    """Orders in a database. Times come from the caller, as Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self) -> None:
        """Raise `StoreUnavailable` where nothing can be written."""
        with self._database.writing() as execute:
            execute("UPDATE book SET version = version")

    def standing(self) -> dict[str, dict[str, int]]:
        """Return how many products are in each state, by catalogue."""
        with self._database.reading() as execute:
            rows = execute(
                "SELECT catalogue, state, count(*) AS number FROM products GROUP BY catalogue, state"
            )
        standing: dict[str, dict[str, int]] = {}
        for each in rows:
            standing.setdefault(each["catalogue"], {})[each["state"]] = each["number"]
        return standing

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # For those who order --------------------------------------------------------------------------
    def place(
        self,
        keys: Iterable[Key],
        principal: str,
        now: float,
        url: Callable[[str], str],
        *,
        webhook: str | None = None,
        online: bool = False,
        batch: str | None = None,
    ) -> list[Order]:
        """Order products for a principal, and return the orders; all of them, or none.

        A product that is ordered already is not ordered again, and a principal has one order of it. Without a
        webhook it keeps the one that it has, and what that is still to be told. `url` makes an order's URL of
        its id. `online` tells that the bytes are there, so that nothing is ordered.
        """
        with self._database.writing() as execute:
            # In one sequence, so that two who order the same do not wait for each other in a circle.
            keys = sorted(set(keys), key=lambda key: (key.collection, key.item))
            held = {archive: _held(execute, archive, now) for archive in {key.archive for key in keys}}
            placed = []
            for key in keys:
                product = self._product(execute, key, now, held[key.archive], online)
                placed.append(row.ask(execute, product, principal, now, url, webhook))
            if batch is not None:
                for order in placed:
                    execute("INSERT INTO batches (batch, request) VALUES (?, ?)", batch, order.id)
            return placed

    def order(self, id: str, principal: str) -> Order | None:
        """Return an order of a principal, with its position among those that wait for the same archive."""
        found = self._orders(
            f"{ORDER}, {POSITION} AS position", "r.id = ? AND r.principal = ?", id, principal
        )
        return found[0] if found else None

    def orders(
        self, principal: str, limit: int, before: tuple[float, str] | None = None, batch: str | None = None
    ) -> list[Order]:
        """Return a page of a principal's orders, the newest first, behind that of time and id `before`."""
        condition = "r.principal = ?"
        values: list[object] = [principal]
        if batch is not None:
            condition += " AND r.id IN (SELECT request FROM batches WHERE batch = ?)"
            values.append(batch)
        if before is not None:
            condition += " AND (r.asked, r.id) < (?, ?)"
            values += before
        order = "ORDER BY r.asked DESC, r.id DESC LIMIT ?"
        return self._orders(ORDER, f"{condition} {order}", *values, limit)

    def counts(self, principal: str, batch: str) -> dict[str, int]:
        """Return how many orders of a batch are in each state."""
        state = "CASE WHEN r.canceled IS NULL THEN p.state ELSE 'canceled' END"
        with self._database.reading() as execute:
            rows = execute(
                f"SELECT {state} AS state, count(*) AS number FROM {ASKED} JOIN batches b ON b.request = r.id"
                f" WHERE b.batch = ? AND r.principal = ? GROUP BY {state}",
                batch,
                principal,
            )
        return {counted["state"]: counted["number"] for counted in rows}

    def of_items(self, principal: str, items: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Order]:
        """Return the orders that a principal has of items, by collection and item: one query for all.

        Of several of one item, under accounts that changed, it is the latest.
        """
        if not items:
            return {}
        marks = ", ".join(["(?, ?)"] * len(items))
        condition = f"r.principal = ? AND r.canceled IS NULL AND (p.collection, p.item) IN (VALUES {marks})"
        values = [part for item in items for part in item]
        found = self._orders(ORDER, f"{condition} ORDER BY r.asked", principal, *values)
        return {(order.product.collection, order.product.item): order for order in found}

    def events(self, order: Order) -> list[Event]:
        """Return what became of an order's product, the latest last."""
        with self._database.reading() as execute:
            rows = execute(
                "SELECT at, state, reason FROM events WHERE product = ? AND at >= ? ORDER BY seq",
                order.product.seq,
                min(order.asked, order.product.since),
            )
        return [Event(**told) for told in rows]

    def cancel(self, order: Order, now: float) -> None:
        """Cancel an order. The product goes on for others; where nobody waits any more, it is let go soon."""
        with self._database.writing() as execute:
            # A product before what asks for it, as all do, so that none wait for each other in a circle.
            execute(f"SELECT seq FROM products WHERE seq = ? {self._database.lock}", order.product.seq)
            execute(
                "UPDATE requests SET canceled = ?, notice_at = NULL WHERE id = ? AND canceled IS NULL",
                now,
                order.id,
            )
            execute(
                f"""UPDATE products SET next_at = ? WHERE seq = ? AND next_at > ? AND state IN ({marks(OPEN)})
                AND NOT EXISTS (SELECT 1 FROM requests WHERE product = seq AND canceled IS NULL)""",
                now,
                order.product.seq,
                now,
                *OPEN,
            )

    def fetched(self, principal: str, collection: str, item: str) -> None:
        """Note that a principal has downloaded an item, so that it is ordered for them by itself no more."""
        of = (principal, collection, item)
        with self._database.reading() as execute:
            owed = execute(f"SELECT r.id FROM {ASKED} WHERE r.owed IS NOT NULL AND {OF_ITEM}", *of)
        if owed:
            with self._database.writing() as execute:
                execute(f"UPDATE requests SET owed = NULL WHERE id IN ({marks(owed)})", *_ids(owed))

    def missed(self, order: Order, now: float) -> None:
        """Look at a product at once that was found offline although it had come."""
        with self._database.writing() as execute:
            execute(
                "UPDATE products SET next_at = ? WHERE seq = ? AND state = 'succeeded' AND next_at > ?",
                now,
                order.product.seq,
                now,
            )

    # Rows -----------------------------------------------------------------------------------------
    def _product(self, execute: Execute, key: Key, now: float, held: float | None, online: bool) -> Product:
        """Return the product of a key as it stands from now on; `held` tells until when none are taken."""
        new = Product(
            0,
            **{name: getattr(key, name) for name in Key.__slots__},
            state="intended",
            since=now,
            created=now,
            next_at=held or now,
            release_at=held,
        )
        if online:
            new = transitions.succeeded(new, now, now + CHECK)
        while True:
            # What was there when it was inserted may have been forgotten by when it is read.
            if seq := row.insert(execute, new):
                product = replace(new, seq=seq)
                row.record(execute, product, now)
                return product
            if known := self._known(execute, key, now, online):
                return known

    def _known(self, execute: Execute, key: Key, now: float, online: bool) -> Product | None:
        """Return a product that was ordered before, ordered anew where that came to an end."""
        rows = execute(
            f"SELECT {PRODUCT} FROM products p WHERE archive = ? AND catalogue = ?"
            f" AND collection = ? AND item = ? {self._database.lock}",
            key.archive,
            key.catalogue,
            key.collection,
            key.item,
        )
        if not rows:
            return None
        product = row.product(rows[0])
        if product.state in OPEN or (product.state == "succeeded" and online):
            return product
        left = transitions.gone(product) if product.state == "succeeded" else product
        again = transitions.revived(left, now, online=online)
        row.write(execute, again, product.fence)
        row.record(execute, again, now)
        if product.state != "succeeded" and again.state not in FINISHED:
            row.untell(execute, again)
        return again

    def _orders(self, columns: str, condition: str, *values: object) -> list[Order]:
        with self._database.reading() as execute:
            rows = execute(
                f"SELECT {columns} FROM {ASKED} WHERE {condition}",
                *values,
            )
        return [row.order(found) for found in rows]


def _held(execute: Execute, archive: str, now: float) -> float | None:
    """Return until when an archive takes no orders, if it does not."""
    rows = execute(
        "SELECT max(release_at) AS until FROM products"
        " WHERE archive = ? AND state = 'intended' AND release_at > ?",
        archive,
        now,
    )
    until: float | None = rows[0]["until"]
    return until


def _ids(rows: Iterable[Row]) -> list[str]:
    return [found["id"] for found in rows]
