"""Letting nginx move the bytes: the bridge says where they are and with which token, and is done.

nginx takes `X-Accel-Redirect` out of an answer and goes on at that location of its own, which asks the URL in
`X-Upstream-URL` (docker/nginx/stacbridge.conf.template). What the bridge does while bytes pass through it, it
then cannot do: go on after a cut, compare checksums, keep the account's connections in a fair line. nginx
bounds those itself, by `X-Upstream-Account`.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from stacbridge.download.delivery import own_headers
from stacbridge.model import Ready

MOST = 1000
"""Files of an account of which it is known where they are: those that were seen last."""


def handover(
    location: str, account: str, url: str, credentials: Mapping[str, str], ready: Ready
) -> dict[str, str]:
    """Return the headers with which nginx fetches the file `ready` from `url`."""
    authorization = {name.lower(): value for name, value in credentials.items()}.get("authorization", "")
    return own_headers(ready, ready.media_type, ready.ranges) | {
        "X-Accel-Redirect": location,
        "X-Upstream-URL": url,
        "X-Upstream-Authorization": authorization,
        "X-Upstream-Account": account,
    }


class Sound:
    """Where files are that were seen to be sound, each for `seconds`.

    Not where a place is signed, or has another query: it may be good for less.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def place(self, asked: str) -> str | None:
        """Return where the file at the URL `asked` is, if that is known."""
        until, place = self._seen.get(asked, (0.0, ""))
        return place if place and self._clock() < until else None

    def note(self, asked: str, place: str) -> None:
        """Note where redirects from `asked` have led to."""
        self._seen.pop(asked, None)
        if "?" not in place:
            self._seen[asked] = (self._clock() + self._seconds, place)
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)
