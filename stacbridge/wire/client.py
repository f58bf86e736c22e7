"""The control plane's sockets, for searches, tokens and listings: small answers, read whole."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from urllib.parse import urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter

from stacbridge import metrics
from stacbridge.errors import UpstreamError, UpstreamUnavailable
from stacbridge.model import Reply, Request
from stacbridge.settings import Settings
from stacbridge.wire.hosts import Hosts, Origin, without_query
from stacbridge.wire.refusals import astray, circling, full_url, late, lost, refusal, too_long

USER_AGENT = f"stacbridge/{version('stacbridge')}"
BUSY = frozenset({429, 502, 503, 504})
"""Statuses that may pass when asked again."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
IDEMPOTENT = frozenset({"GET", "HEAD"})
MAX_WAIT = 30.0
"""Seconds before a retry at most; an upstream that wants more is not asked again."""
CHUNK = 65536

log = logging.getLogger(__name__)


class Wire:
    """Sends requests to one upstream. Safe to share between threads; connections are pooled.

    Stands on the transport of `requests` alone: a session of it would add cookies, `.netrc` logins and
    proxies of the environment, and read the bodies of redirects. `hosts` says where redirects may lead and
    which servers may see an `Authorization` header. A call lasts `upstream_deadline` seconds at most, checked
    whenever bytes of a body arrive.
    """

    def __init__(
        self,
        upstream: str,
        settings: Settings,
        hosts: Hosts,
        *,
        authorities: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Trust the certificates in a file or folder, `authorities`, or those that `requests` ships."""
        self._upstream = upstream
        self._verify = authorities or True
        self._settings = settings
        self._hosts = hosts
        self._clock = clock
        self._sleep = sleep
        self._timeout = (settings.connect_timeout, settings.read_timeout)
        self._adapter = HTTPAdapter(pool_maxsize=settings.search_threads, max_retries=0)

    def send(self, request: Request) -> Reply:
        """Return the answer to a request that must succeed.

        Raises `UpstreamError` or its kin for any status but 2xx, and as `exchange` does.
        """
        reply = self.exchange(request)
        if 200 <= reply.status < 300:
            return reply
        raise refusal(self._upstream, request, reply)

    def exchange(self, request: Request) -> Reply:
        """Return the answer to a request, whatever its status, after redirects and retries.

        Raises `UpstreamTimeout` and `UpstreamUnavailable` where there is no answer or the upstream stays
        busy, and `UpstreamError` for too long an answer or a redirect that may not be followed.
        """
        deadline = self._clock() + self._settings.upstream_deadline
        pauses = self._pauses(request)
        while True:
            try:
                reply = self._follow(request, deadline)
                if reply.status not in BUSY:
                    return reply
                trouble: UpstreamError = refusal(self._upstream, request, reply)
            except UpstreamUnavailable as unreachable:
                trouble = unreachable
            pause = next(pauses, None)
            if pause is not None and trouble.retry_after is not None:
                pause = trouble.retry_after
            if pause is None or pause > MAX_WAIT or self._clock() + pause > deadline:
                raise trouble
            log.info("%s is asked again in %s s; it answered: %s", self._upstream, pause, trouble.answered)
            self._sleep(pause)

    def once(self, request: Request) -> Reply:
        """Return the answer to a request that must not be repeated, whatever its status.

        Raises as `exchange` does where there is none, of which nobody knows whether the request arrived.
        """
        return self._follow(request, self._clock() + self._settings.upstream_deadline)

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close()

    def _pauses(self, request: Request) -> Iterator[float]:
        if request.safe or request.method in IDEMPOTENT:
            for attempt in range(self._settings.retries):
                yield min(MAX_WAIT, self._settings.retry_wait * 2**attempt)

    def _follow(self, request: Request, deadline: float) -> Reply:
        step = request
        for _ in range(self._settings.max_redirects + 1):
            reply = self._once(step, request, deadline)
            target = reply.headers.get("location")
            if reply.status not in REDIRECTS or target is None:
                return reply
            step = self._next(step, request, reply.status, _absolute(reply.url, target))
        raise circling(self._upstream, request, self._settings.max_redirects)

    def _next(self, step: Request, first: Request, status: int, target: str) -> Request:
        """Build the request after a redirect.

        A body goes only to the server that it was meant for, headers only to servers that may see them.
        """
        same = Origin.of(target) == Origin.of(step.url)
        if status == 303:
            step = replace(step, method="HEAD" if step.method == "HEAD" else "GET", body=None)
        if not self._hosts.may_follow(target) or (step.body and not same):
            raise astray(self._upstream, first, status, target)
        keep = same or self._hosts.may_see_credential(target)
        headers = {k: v for k, v in step.headers.items() if keep or k.lower() == "accept"}
        return replace(step, url=target, params=(), headers=headers)

    def _once(self, step: Request, first: Request, deadline: float) -> Reply:
        start, outcome = self._clock(), "none"
        try:
            reply = self._sent(step, first, deadline)
            outcome = str(reply.status)
        except UpstreamError as failure:
            outcome = failure.code
            raise
        finally:
            metrics.asked(self._upstream, outcome, self._clock() - start)
        return reply

    def _sent(self, step: Request, first: Request, deadline: float) -> Reply:
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **step.headers}
        try:
            prepared = requests.Request(step.method, step.url, headers=headers, data=step.body).prepare()
            # Parameters, which are escaped already, are not escaped again: long filters take a while.
            prepared.url = full_url(prepared.url or step.url, step.params)
            response = self._adapter.send(prepared, stream=True, timeout=self._timeout, verify=self._verify)
            try:
                body = b"" if response.status_code in REDIRECTS else self._body(response, first, deadline)
            finally:
                response.close()
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise late(self._upstream, first) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise lost(self._upstream, first, error) from None
        log.debug(
            "%s %s: %d, %d bytes", step.method, without_query(step.url), response.status_code, len(body)
        )
        named = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, named, body, prepared.url or step.url)

    def _body(self, response: requests.Response, first: Request, deadline: float) -> bytes:
        """Read the decoded body, never more than one chunk beyond the limit."""
        limit = self._settings.max_reply_bytes
        chunks, size = [], 0
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise too_long(self._upstream, first, limit)
            if self._clock() > deadline:
                raise late(self._upstream, first)
        return b"".join(chunks)


def _absolute(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        return location
