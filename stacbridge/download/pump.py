"""The data plane: bytes from an upstream to a client in constant memory, never a short body ended cleanly."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import aiohttp
from yarl import URL

from stacbridge.download.refusals import ASK_AGAIN
from stacbridge.download.tap import tap
from stacbridge.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from stacbridge.settings import Settings

Send = Callable[[dict[str, Any]], Awaitable[None]]

BUFFER = 64 * 1024
"""Bytes of a stream held before its upstream is asked to pause; more costs memory and gains no speed."""


class Transfers:
    """The connections that carry products. One for all catalogues of a process; used on one event loop only.

    Nothing is decompressed, followed or remembered (cookies) here: what the upstream says is what comes out.
    """

    def __init__(self, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        """Trust the authorities of `context`, which are the system's (or `SSL_CERT_FILE`'s) if not given."""
        self._settings = settings
        self._context = context or ssl.create_default_context()
        self._opened: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections that are kept for reuse."""
        if self._opened is not None:
            await self._opened.close()

    async def ask(
        self, upstream: str, method: str, url: str, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Ask `url` (escaped already) and return the answer once its headers are there; `drop` it in the end.

        Raises `UpstreamTimeout`, `UpstreamUnavailable`, and `UpstreamError` for an answer that is not HTTP.
        """
        told = (upstream, asked(method, url))
        settings = self._settings
        try:
            async with asyncio.timeout(
                settings.processing_timeout if method == "POST" else settings.download_idle_timeout
            ):
                return await self._session().request(
                    method, URL(url, encoded=True), headers=headers, allow_redirects=False
                )
        except TimeoutError:
            raise _failure(UpstreamTimeout, "did not answer in time", told) from None
        except aiohttp.ClientConnectionError as error:
            raise _failure(UpstreamUnavailable, "cannot be reached", told) from error
        except aiohttp.ClientError as error:
            raise _failure(UpstreamError, "answered something that is not HTTP", told) from error

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._context),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout),
                headers={"Accept-Encoding": "identity", "User-Agent": f"stacbridge/{version('stacbridge')}"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=BUFFER,
            )
        return self._opened


def asked(method: str, url: str) -> str:
    """Return what was asked in words that may be shown: a query can carry a signature, so it is left out."""
    return f"{method} {url.partition('?')[0]}"


def drop(response: aiohttp.ClientResponse) -> None:
    """Be done with an answer: keep its connection for reuse if it was read to the end, else cut it at once.

    Cut, because a TLS farewell waits for the other side, and would hold the account's slot meanwhile.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes on their way: `length` is how many there must be, None where only the last chunk tells."""

    response: aiohttp.ClientResponse
    length: int | None
    upstream: str
    asked: str

    async def pump(self, send: Send, idle: float) -> None:
        """Hand every byte to `send`, and the end only if there were as many as there must be.

        Raises `UpstreamError` and its kin when the upstream breaks off, stalls for `idle` seconds, or sends
        too much or too little; `TimeoutError` when the client takes nothing for so long. The client's
        connection must then be cut, never ended cleanly.
        """
        loop = asyncio.get_running_loop()
        tapped = tap(self.response)
        read = tapped.read if tapped else self.response.content.readany
        received = sent = 0
        try:
            async with asyncio.timeout(idle) as patience:
                renewed = loop.time()
                while chunk := await read():
                    received += len(chunk)
                    if self.length is not None and received > self.length:
                        break
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    sent = received
                    if (now := loop.time()) - renewed > idle / 8:
                        patience.reschedule(now + idle)
                        renewed = now
        except TimeoutError:
            if received > sent:
                raise TimeoutError(f"The client took nothing for {idle:g} s, after {sent} bytes.") from None
            raise self._failure(UpstreamTimeout, f"sent nothing for {idle:g} s", received) from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise self._failure(UpstreamUnavailable, "broke off", received) from error
        if self.length is not None and received != self.length:
            raise self._failure(UpstreamError, "sent a body of the wrong length", received)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _failure(self, kind: type[UpstreamError], what: str, received: int) -> UpstreamError:
        expected = "" if self.length is None else f" of {self.length}"
        return _failure(kind, f"{what} after {received}{expected} bytes", (self.upstream, self.asked))


def _failure(kind: type[UpstreamError], what: str, told: tuple[str, str]) -> UpstreamError:
    retry_after = ASK_AGAIN if kind is UpstreamUnavailable else None
    return kind(f"The upstream {what}.", upstream=told[0], asked=told[1], retry_after=retry_after)
