"""What is to be done next, and by whom: workers take products under a lease, and write under its fence."""

from collections.abc import Collection
from dataclasses import replace

from stacbridge.orders import rows as row
from stacbridge.orders.database import Database, Execute
from stacbridge.orders.records import ENDED, FINISHED, OPEN, Notice, Product
from stacbridge.orders.rows import ASKED, COLUMNS, ORDER, PRODUCT, marks

ALL = "@"
"""What names of archives end with that stand for several."""
AFTER_HOST = ("", "/", "?", "#")
"""What follows the host in a URL."""


class Agenda:
    """The order book as workers see it, of whom there may be many in many processes.

    Times come from the caller, as Unix seconds; clocks of machines that share a book must agree to within a
    fraction of a lease. A name of an archive that ends with `@` stands for all that begin with it: one for
    each account that callers have there.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, archives: Collection[str], now: float, lease: float) -> Product | None:
        """Take the product that is due longest, for `lease` seconds; `None` where none is.

        Of the state in which a process that died left a product, another one claims it after the lease.
        """
        if not archives:
            return None
        with self._database.writing() as execute:
            rows = execute(
                f"""UPDATE products SET fence = fence + 1, leased_until = ? WHERE seq = (
                    SELECT seq FROM products WHERE next_at <= ? AND leased_until <= ?
                    AND {_of(archives)} ORDER BY next_at, seq LIMIT 1 {self._database.skip})
                RETURNING {", ".join(COLUMNS)}""",
                now + lease,
                now,
                now,
                *archives,
            )
        return row.product(rows[0]) if rows else None

    def next_due(self, archives: Collection[str]) -> float | None:
        """Return when the next product is due, `None` where none ever is."""
        if not archives:
            return None
        with self._database.reading() as execute:
            rows = execute(f"SELECT min(next_at) AS due FROM products WHERE {_of(archives)}", *archives)
        due: float | None = rows[0]["due"]
        return due

    def wanted(self, product: Product) -> bool:
        """Tell whether anybody still waits for a product."""
        with self._database.reading() as execute:
            return bool(
                execute("SELECT 1 FROM requests WHERE product = ? AND canceled IS NULL LIMIT 1", product.seq)
            )

    def abandoned(self, before: float, most: int) -> list[Product]:
        """Return products, `most` at most, that were due before then, and that nobody has taken up since."""
        with self._database.reading() as execute:
            rows = execute(
                f"SELECT {PRODUCT} FROM products p WHERE p.next_at < ? AND p.leased_until < ?"
                f" AND p.state IN ({marks(OPEN)}) ORDER BY p.next_at LIMIT ?",
                before,
                before,
                *OPEN,
                most,
            )
        return [row.product(found) for found in rows]

    def owed(self, product: Product) -> float | None:
        """Return when those last ordered a product who have not downloaded it since; `None` without any."""
        with self._database.reading() as execute:
            rows = execute(
                "SELECT max(owed) AS owed FROM requests WHERE product = ? AND canceled IS NULL", product.seq
            )
        owed: float | None = rows[0]["owed"]
        return owed

    def save(self, before: Product, after: Product, now: float, lease: float = 0) -> bool:
        """Write what became of a claimed product; False where the lease went to somebody else meanwhile.

        The lease ends, or lasts for another `lease` seconds. Who waits for a product that has finished is to
        be told, but who knows that it is there only if it was away since; of one that will not come, nobody
        is owed anything any more.
        """
        after = replace(after, leased_until=now + lease if lease else 0)
        with self._database.writing() as execute:
            if not row.write(execute, after, before.fence):
                return False
            if (before.state, before.reason) != (after.state, after.reason):
                row.record(execute, after, now)
            if after.state != before.state:
                _note(execute, before, after, now)
            if after.state in ENDED:
                execute("UPDATE requests SET owed = NULL WHERE product = ?", after.seq)
        return True

    def hold_back(self, archive: str, until: float, reason: str) -> None:
        """Let all that waits for an archive wait until its release, too.

        Waits for nobody, who might wait for it in turn: what is being ordered again at the moment is held
        back when the archive refuses it.
        """
        with self._database.writing() as execute:
            execute(
                "UPDATE products SET next_at = ?, release_at = ?, reason = ? WHERE seq IN ("
                "SELECT seq FROM products WHERE archive = ? AND state = 'intended' AND next_at < ?"
                f" AND leased_until = 0 {self._database.skip})",
                until,
                until,
                reason,
                archive,
                until,
            )

    def due_notice(self, now: float, lease: float) -> Notice | None:
        """Take the webhook call that is due longest, for `lease` seconds; `None` where none is.

        What is under way again is told of once it has finished.
        """
        with self._database.writing() as execute:
            claimed = execute(
                f"""UPDATE requests SET notice_at = ?, notice_tries = notice_tries + 1 WHERE id = (
                    SELECT id FROM requests WHERE notice_at <= ? AND EXISTS (
                        SELECT 1 FROM products WHERE seq = product AND state IN ({marks(FINISHED)}))
                    ORDER BY notice_at, notice_tries LIMIT 1 {self._database.skip})
                RETURNING id, webhook, url, notice_since AS since, notice_tries AS tries""",
                now + lease,
                now,
                *FINISHED,
            )
            if not claimed:
                return None
            rows = execute(f"SELECT {ORDER} FROM {ASKED} WHERE r.id = ?", claimed[0].pop("id"))
        return Notice(row.order(rows[0]), **claimed[0])

    def settle_notice(self, notice: Notice, again_at: float | None) -> None:
        """Write when a webhook is called again (`None`: never), unless there is something newer to tell."""
        with self._database.writing() as execute:
            execute(
                "UPDATE requests SET notice_at = ?"
                " WHERE id = ? AND notice_since = ? AND notice_at IS NOT NULL",
                again_at,
                notice.order.id,
                notice.since,
            )

    def put_off(self, host: str, until: float, oldest: float) -> None:
        """Let all webhook calls to a host (`https://…` up to the path) wait; what is older is never told.

        Waits for nobody: a call that somebody else is at is put off when its turn comes.
        """
        length = len(host)
        with self._database.writing() as execute:
            execute(
                f"""UPDATE requests SET notice_at = CASE WHEN notice_since < ? THEN NULL ELSE ? END
                WHERE id IN (SELECT id FROM requests WHERE notice_at < ?
                    AND lower(substr(webhook, 1, {length})) = ?
                    AND substr(webhook, {length + 1}, 1) IN ({marks(AFTER_HOST)}) {self._database.skip})""",
                oldest,
                until,
                until,
                host,
                *AFTER_HOST,
            )


def _note(execute: Execute, before: Product, after: Product, now: float) -> None:
    """Write who is to be told of a product that changed its state."""
    if after.state in FINISHED:
        was_there = before.state == "intended" and after.state == "succeeded"
        execute(
            "UPDATE requests SET notice_at = ?, notice_since = ?, notice_tries = 0"
            " WHERE product = ? AND webhook IS NOT NULL AND canceled IS NULL"
            + (" AND notice_since IS NULL" if was_there else ""),
            now,
            now,
            after.seq,
        )
    elif before.state == "succeeded" or after.state == "sending":
        row.untell(execute, after)


def _of(archives: Collection[str]) -> str:
    """Return the condition that a product is of one of these archives, whose names are its values."""
    names = (
        f"substr(archive, 1, {len(name)}) = ?" if name.endswith(ALL) else "archive = ?" for name in archives
    )
    return f"({' OR '.join(names)})"
