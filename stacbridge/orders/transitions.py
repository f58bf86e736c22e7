"""The state machine of orders: pure steps from one `Product` to the next.

intended -> sending -> ordered -> pending | shipping -> succeeded -> evicted
any of the first five -> failed | canceled
succeeded -> intended, where the bytes have gone before they were downloaded

Every open state has a deadline, after which the product has failed with a reason; nothing waits for ever.
"""

from dataclasses import dataclass, replace

from stacbridge.errors import QuotaExceeded, StacbridgeError
from stacbridge.model import Progress
from stacbridge.orders.records import UNDER_WAY, Product, State
from stacbridge.settings import Settings

CHECK = 86400.0
"""Seconds until it is looked whether bytes still are there, where the settings say nothing else."""
LATE = "The archive did not bring it back in time."
GONE = "The archive has taken the bytes away again."
MISSED = "The archive has taken the bytes away again before they were downloaded."
ORDER_AND_FETCH = "Order it anew, and download it before it expires."
FURTHEST_RELEASE = 86400 * 7
"""Seconds until a release at most, whatever an upstream's Retry-After says."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How patient orders are, from the settings; all in seconds but `unknown_polls` and `reorders`."""

    poll: float = 30
    poll_most: float = 900
    unsent: float = 7 * 86400
    staging: float = 7 * 86400
    quota_wait: float = 3600
    check: float = CHECK
    unknown_polls: int = 5
    reorders: int = 1

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """Read the settings."""
        return cls(
            poll=settings.order_poll,
            poll_most=settings.order_poll_most,
            unsent=settings.order_unsent_seconds,
            staging=settings.order_staging_seconds,
            quota_wait=settings.order_quota_wait,
            check=settings.order_check_seconds,
            unknown_polls=settings.order_unknown_polls,
            reorders=settings.order_reorders,
        )

    def pause(self, tries: int) -> float:
        """Return the seconds before something is tried again that has been `tries` times."""
        return min(self.poll_most, self.poll * 2.0 ** min(tries, 30))


def revived(product: Product, now: float, *, online: bool) -> Product:
    """Return a finished product that somebody asks for again.

    An order that the archive took and never finished is followed on. One that was cancelled while nobody knew
    whether the archive took it is looked for. Others are ordered anew.
    """
    fresh = replace(
        product,
        fence=product.fence + 1,
        leased_until=0,
        sends=0,
        doubts=0,
        tries=0,
        expires=None,
        release_at=None,
        reorders=0,
    )
    if online:
        return succeeded(fresh, now, now + CHECK)
    state: State = "intended"
    if product.upstream_order is not None:
        state = "ordered"
    elif product.unclear and product.state == "canceled":
        state = "sending"
    return replace(_entered(fresh, state, now), next_at=now)


def sent(product: Product, now: float) -> Product:
    """Return the product as it is kept before the archive hears of it."""
    sending = _entered(product, "sending", now, started=product.since)
    return replace(sending, sends=product.sends + 1, unclear=1)


def taken(product: Product, progress: Progress, now: float, rules: Rules) -> Product:
    """Return the product after the archive took its order, or was found to have it."""
    known = replace(product, upstream_order=progress.order, unclear=0, release_at=None, tries=0, doubts=0)
    return followed(known, progress, now, rules)


def followed(product: Product, progress: Progress, now: float, rules: Rules) -> Product:
    """Return the product after the archive told how its order stands."""
    if progress.state is None:
        return _doubted(product, now, rules)
    known = replace(product, doubts=0)
    if progress.state == "succeeded":
        check = progress.expires if progress.expires and progress.expires > now else now + rules.check
        return succeeded(known, now, check, progress.expires)
    if progress.state in ("failed", "canceled"):
        over = replace(known, upstream_order=None)
        return failed(over, progress.reason or f"The archive says that the order is {progress.state}.", now)
    if known.state in UNDER_WAY and (late := _overdue(known, now, rules.staging, LATE)):
        return late
    tries = 0 if progress.state != known.state else known.tries + 1
    moved = _entered(known, progress.state, now, progress.reason, started=_started(known, now))
    wait = max(rules.pause(tries), min(progress.retry_after or 0, rules.poll_most))
    return replace(moved, tries=tries, next_at=now + wait)


def held_back(product: Product, failure: QuotaExceeded, now: float, rules: Rules) -> Product:
    """Return the product after the archive refused it for now: it waits until its release."""
    wait = rules.quota_wait if failure.retry_after is None else min(failure.retry_after, FURTHEST_RELEASE)
    intended = replace(product, unclear=0, sends=product.sends - 1)
    waiting = _entered(intended, "intended", now, str(failure), started=product.since)
    if late := _overdue(waiting, now, rules.unsent, str(failure)):
        return late
    return replace(waiting, release_at=now + max(wait, 1), next_at=now + max(wait, 1))


def declined(product: Product, failure: StacbridgeError, now: float) -> Product:
    """Return the product after the archive refused it for good."""
    return failed(replace(product, unclear=0), str(failure), now)


def unsent(product: Product, failure: StacbridgeError, now: float, rules: Rules) -> Product:
    """Return the product after the archive could not be asked, so that it heard of no order."""
    intended = replace(product, unclear=0, sends=max(0, product.sends - (product.state == "sending")))
    waiting = _entered(intended, "intended", now, str(failure), started=product.since)
    return _again(waiting, now, rules, rules.unsent, str(failure))


def unclear(product: Product, failure: StacbridgeError, now: float, rules: Rules, settle: float) -> Product:
    """Return the product after an order of which nobody knows whether it arrived.

    It is looked for after `settle` seconds, by when it has either arrived or never will.
    """
    waiting = replace(product, reason=str(failure), tries=product.tries + 1)
    if late := _overdue(waiting, now, rules.unsent, str(failure)):
        return late
    return replace(waiting, next_at=now + max(settle, rules.pause(product.tries)))


def missing(product: Product, now: float) -> Product:
    """Return the product after the archive said that it has no order of it: it is ordered anew."""
    again = replace(product, unclear=0, upstream_order=None, doubts=0)
    return replace(_entered(again, "intended", now, product.reason, started=product.since), next_at=now)


def troubled(product: Product, failure: StacbridgeError, now: float, rules: Rules) -> Product:
    """Return the product after a poll failed."""
    return _again(product, now, rules, rules.staging, str(failure))


def succeeded(product: Product, now: float, check: float, expires: float | None = None) -> Product:
    """Return the product whose bytes are there; whether they still are is looked at `check`."""
    here = replace(product, unclear=0, doubts=0, tries=0, release_at=None, expires=expires)
    return replace(_entered(here, "succeeded", now), next_at=check)


def kept(product: Product, now: float, rules: Rules) -> Product:
    """Return the product whose bytes still are there."""
    return replace(product, tries=0, next_at=now + rules.check)


def gone(product: Product) -> Product:
    """Return the product whose bytes have gone, so that nothing is left of its order upstream."""
    return replace(product, upstream_order=None, expires=None, sends=0, unclear=0, doubts=0, tries=0)


def evicted(product: Product, now: float, rules: Rules, owed: float | None) -> Product:
    """Return the product whose bytes have gone; `owed` is when those last ordered it who never had them.

    For them it is ordered again by itself, so often and so long as the rules say. Else it has ended, and who
    wants the bytes orders again.
    """
    if owed is None:
        return _ended(product, now, GONE)
    number = product.reorders + 1
    if number > rules.reorders:
        tried = " It had been ordered again by itself." if product.reorders else ""
        return _ended(product, now, f"{MISSED}{tried} {ORDER_AND_FETCH}")
    if now >= owed + rules.unsent + rules.staging:
        return _ended(product, now, f"{MISSED} The order is too old to be sent again. {ORDER_AND_FETCH}")
    reason = f"{MISSED} It is ordered again by itself ({number} of {rules.reorders})."
    again = replace(gone(product), reorders=number)
    return replace(_entered(again, "intended", now, reason), next_at=now)


def canceled(product: Product, now: float) -> Product:
    """Return the product that nobody wants any more. What the archive took, goes on there unheeded."""
    return replace(_entered(product, "canceled", now), next_at=None)


def failed(product: Product, reason: str, now: float) -> Product:
    """Return the product that will not come, and why."""
    return replace(_entered(product, "failed", now, reason), next_at=None, release_at=None)


def _ended(product: Product, now: float, reason: str) -> Product:
    return replace(_entered(gone(product), "evicted", now, reason), next_at=None)


def _doubted(product: Product, now: float, rules: Rules) -> Product:
    """Return the product after a poll that did not know its order: some do not at once, some lose orders."""
    doubts = product.doubts + 1
    if doubts < rules.unknown_polls:
        pause = rules.pause(product.tries + 1)
        return replace(product, doubts=doubts, tries=product.tries + 1, next_at=now + pause)
    lost = f"The archive did not know order {product.upstream_order} when asked {doubts} times."
    forgotten = replace(product, upstream_order=None, doubts=0, tries=0)
    if product.sends > 1:
        return failed(forgotten, f"{lost} It was ordered twice, and lost twice.", now)
    return replace(_entered(forgotten, "intended", now, lost), next_at=now)


def _again(product: Product, now: float, rules: Rules, deadline: float, reason: str) -> Product:
    if late := _overdue(product, now, deadline, reason):
        return late
    pause = rules.pause(product.tries)
    return replace(product, tries=product.tries + 1, reason=reason, next_at=now + pause)


def _overdue(product: Product, now: float, deadline: float, reason: str) -> Product | None:
    if now - product.since < deadline:
        return None
    return failed(product, f"Given up after {deadline / 86400:.1f} days. {reason}", now)


def _started(product: Product, now: float) -> float:
    """Return since when the archive has had the order; states under way share one deadline."""
    return product.since if product.state in UNDER_WAY else now


def _entered(
    product: Product, state: State, now: float, reason: str | None = None, started: float | None = None
) -> Product:
    return replace(product, state=state, reason=reason, since=now if started is None else started)
