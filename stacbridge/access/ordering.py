"""Orders of bytes that are offline, as conversations with the archive that has them."""

from dataclasses import dataclass
from typing import Protocol

from stacbridge.access.flows import Flow
from stacbridge.errors import NotOrderable, QuotaExceeded, UpstreamError, UpstreamRefused
from stacbridge.model import Json, Progress, Reply, Request
from stacbridge.wire.answers import retry_after, told
from stacbridge.wire.refusals import asked, refusal


class Ordering(Protocol):
    """How an archive takes orders. Requests get replies of any status."""

    @property
    def finds(self) -> bool:
        """Whether it can tell if it has an order of a product."""
        ...

    def is_online(self, record: Json) -> bool:
        """Tell whether a record's bytes need no order. Raises `NotOrderable` where they could not be had."""
        ...

    def find(self, record: Json) -> Flow[Progress | None]:
        """Return the order of a record's product that is under way, where there is one."""
        ...

    def order(self, record: Json) -> Flow[Progress]:
        """Order a record's product; to be driven without repetitions.

        Raises `QuotaExceeded`, `UpstreamRefused` and `NotOrderable` where it was refused. After any other
        failure nobody knows.
        """
        ...

    def poll(self, order: str) -> Flow[Progress]:
        """Return how an order stands."""
        ...


@dataclass(frozen=True, slots=True)
class NoOrders:
    """An archive that takes no orders here; `advice` is what to do about products that are offline.

    What is made when it is downloaded, such as a burst, is never offline.
    """

    upstream: str
    advice: str | None = None
    finds: bool = False

    def is_online(self, record: Json) -> bool:
        """Tell that the bytes are there. Raises `NotOrderable` where they are not."""
        if record.get("Online") is False:
            raise self._refusal()
        return True

    def find(self, record: Json) -> Flow[Progress | None]:
        """Return nothing: it has no orders."""
        yield from ()
        return None

    def order(self, record: Json) -> Flow[Progress]:
        """Raise `NotOrderable`."""
        yield from ()
        raise self._refusal()

    def poll(self, order: str) -> Flow[Progress]:
        """Tell that it does not know the order."""
        yield from ()
        return Progress(order, None)

    def _refusal(self) -> NotOrderable:
        return NotOrderable(
            f"The product is offline at {self.upstream}, which takes no orders for it here.",
            upstream=self.upstream,
            advice=self.advice,
        )


def check_taken(upstream: str, request: Request, reply: Reply) -> None:
    """Pass an order that was taken (2xx), and raise what any other answer means.

    429 and 503 say that nothing was taken, as does 403 that speaks of a quota (DHuS: "offline products
    retrieval quota exceeded"); other 4xx refuse for good. 5xx may have come after the order was taken.
    """
    if 200 <= reply.status < 300:
        return
    said = told(reply)
    if reply.status in (429, 503) or (reply.status == 403 and "quota" in said.lower()):
        raise QuotaExceeded(
            f"{upstream} takes no more orders of the account for now.",
            upstream=upstream,
            asked=asked(request),
            answered=said,
            retry_after=retry_after(reply.headers),
        )
    if reply.status in (401, 403):
        raise UpstreamRefused(
            f"{upstream} lets the account order nothing.",
            upstream=upstream,
            asked=asked(request),
            answered=said,
            advice="Check the account in the settings, and what it may order.",
        )
    if 400 <= reply.status < 500 and reply.status != 408:
        raise NotOrderable(
            f"{upstream} refuses the order.", upstream=upstream, asked=asked(request), answered=said
        )
    raise refusal(upstream, request, reply)


def unclear(upstream: str, request: Request, reply: Reply, what: str) -> UpstreamError:
    """Return the failure of an answer about orders that says nothing that can be understood."""
    return UpstreamError(
        f"{upstream} answered {what}.",
        upstream=upstream,
        asked=f"{request.method} {request.url}",
        answered=f"HTTP {reply.status}, {len(reply.body)} bytes",
    )
