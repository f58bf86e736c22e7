"""Requests to a bucket of S3-compatible storage: signed by headers, addressed by path, tried again.

What any of AWS, Ceph, MinIO and their kin take (docs.aws.amazon.com, "Amazon S3 API Reference").
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from stacbridge.access.sigv4 import Key
from stacbridge.bucket import Bucket
from stacbridge.download.outage import Outage
from stacbridge.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.model import Reply, Request
from stacbridge.settings import Settings
from stacbridge.wire.answers import retry_after, sanitise
from stacbridge.wire.client import MAX_WAIT, Wire
from stacbridge.wire.hosts import Hosts, Origin

UPSTREAM = "spool"
"""What the bucket is called in errors and figures."""
PASSING = frozenset({429, 500, 502, 503, 504})
"""Answers after which a request is made again: S3's InternalError and SlowDown among them."""
REFUSED = frozenset({401, 403})
CODE = re.compile(rb"<Code>\s*([\w.]{1,60})\s*</Code>")
"""S3's word for a failure."""


class S3:
    """One bucket. Methods block, and may be called from any thread."""

    id = UPSTREAM

    def __init__(
        self,
        bucket: Bucket,
        settings: Settings,
        outage: Outage,
        *,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask by the times and retries of `settings`, and not at all while `outage` says so."""
        self._root = f"{bucket.endpoint.rstrip('/')}/{bucket.name}"
        self._key = Key(bucket.key, bucket.secret.get_secret_value(), bucket.region)
        self._settings = settings
        self._outage = outage
        self._wall, self._sleep = wall, sleep
        known = Hosts.listed((), [bucket.endpoint])
        self._wire = Wire(UPSTREAM, settings, known, authorities=_authorities(), sleep=sleep)

    def url(self, name: str = "", query: Sequence[tuple[str, str]] = ()) -> str:
        """Return the URL of an object, or of the bucket."""
        told = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
        return f"{self._root}{'/' if name else ''}{quote(name)}{'?' if told else ''}{told}"

    def presigned(self, url: str, seconds: int) -> str:
        """Return a URL at which anyone may GET what is at `url`, for so many seconds."""
        return self._key.presigned(url, self._now(), seconds)

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        missing: bool = False,
    ) -> Reply:
        """Return an answer of success, or 404 where that is one, too (`missing`).

        Raises `UpstreamUnavailable` and `UpstreamTimeout` where there is none after all retries,
        `UpstreamRefused` where the key is not good enough, `UpstreamError` for all others.
        """
        with self._outage.attempt(method):
            reply = self._tried(method, url, body, headers or {})
            if reply.status >= 300 and not (missing and reply.status == 404):
                raise refusal(method, reply)
            return reply

    def now(self) -> float:
        """Return the Unix time here."""
        return self._wall()

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        """Return the headers that sign a request to the storage; none for one elsewhere."""
        return self._key.headers(method, url, self._now()) if self.may_follow(url) else {}

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        """Return headers that are signed anew."""
        return self.authorize(url, method)

    def expired(self, reply: Reply) -> bool:
        """Tell whether a request is worth signing anew: never, since each is signed when it is made."""
        return False

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url`: within the storage only."""
        return Origin.of(url) == Origin.of(self._root)

    def close(self) -> None:
        """Close the pooled connections."""
        self._wire.close()

    def _tried(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        for pause in self._pauses():
            try:
                reply = self._once(method, url, body, headers)
            except UpstreamUnavailable:
                stated = None
            else:
                if reply.status not in PASSING:
                    return reply
                stated = retry_after(reply.headers)
            self._sleep(min(MAX_WAIT, pause if stated is None else stated))
        return self._once(method, url, body, headers)

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        signed = self._key.headers(method, url, self._now(), headers, sha256(body).hexdigest())
        return self._wire.once(Request(method, url, headers={**headers, **signed}, body=body or None))

    def _pauses(self) -> Iterator[float]:
        """Yield the seconds to wait after each attempt that is not the last."""
        for attempt in range(self._settings.retries):
            yield self._settings.retry_wait * 2**attempt

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)


def refusal(what: str, reply: Reply) -> UpstreamError:
    """Return the failure of an answer to `what`, with S3's word for it and no more.

    Its documents repeat keys, and what was signed.
    """
    match = CODE.search(reply.body)
    kind, advice = UpstreamError, None
    if reply.status in PASSING:
        kind = UpstreamUnavailable
    elif reply.status in REFUSED:
        kind = UpstreamRefused
        advice = "Check key, secret and region in the settings, and this machine's clock."
    return kind(
        f"The bucket of the spool does not take a {what}.",
        upstream=UPSTREAM,
        answered=f"HTTP {reply.status}" + (f" {sanitise(match[1].decode())}" if match else ""),
        advice=advice,
    )


def _authorities() -> str | None:
    """Return where the system keeps the authorities that it trusts, as the download side does."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath
