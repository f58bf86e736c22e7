"""How many requests are answered at once, in all and for each user."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from stacbridge.callers.principal import Principal
from stacbridge.download.refusals import ASK_AGAIN
from stacbridge.errors import NotStaged


class Crowd:
    """Those who are being answered. Callers whom nobody knows are bounded together, by `most` only."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._each: Counter[str | None] = Counter()

    @contextmanager
    def member(self, principal: Principal | None) -> Iterator[None]:
        """Be one of them; raises `NotStaged` where there are too many already."""
        name = principal.id if principal is not None and principal.known else None
        if self._each.total() >= self._most:
            raise _refusal("The bridge answers as many requests as it can.")
        if name is not None and self._each[name] >= self._most_each:
            raise _refusal(f"You have {self._most_each} requests under way, which is as many as you may.")
        self._each[name] += 1
        try:
            yield
        finally:
            self._each[name] -= 1
            if not self._each[name]:
                del self._each[name]


def _refusal(reason: str) -> NotStaged:
    return NotStaged(reason, advice="Ask again later.", retry_after=ASK_AGAIN)
