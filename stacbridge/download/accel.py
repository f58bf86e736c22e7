"""Letting nginx move the bytes: the bridge says where they are and with which token, and is done.

nginx takes `X-Accel-Redirect` out of an answer and goes on at that location of its own, which asks the URL in
`X-Upstream-URL` (docker/nginx/stacbridge.conf.template). What the bridge does while bytes pass through it, it
then cannot do: go on after a cut, compare checksums, keep the account's connections in a fair line. nginx
bounds those itself, by `X-Upstream-Account`.
"""

from collections.abc import Mapping

from stacbridge.download.delivery import own_headers
from stacbridge.model import Ready


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
