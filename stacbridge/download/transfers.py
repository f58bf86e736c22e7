"""The connections that carry products, and how one ends."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from importlib.metadata import version

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from yarl import URL

from stacbridge import metrics
from stacbridge.download.connector import Connector
from stacbridge.download.refusals import failed
from stacbridge.download.tls import TlsTransport
from stacbridge.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from stacbridge.settings import Settings

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
        start, outcome = time.monotonic(), "none"
        try:
            response = await self._ask(upstream, method, url, headers)
            outcome = str(response.status)
        except UpstreamError as failure:
            outcome = failure.code
            raise
        finally:
            metrics.asked(upstream, outcome, time.monotonic() - start)
        return response

    async def _ask(
        self, upstream: str, method: str, url: str, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
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
            raise failed(UpstreamTimeout, "did not answer in time", *told) from None
        except aiohttp.ClientConnectorCertificateError as error:
            raise failed(
                UpstreamError, f"shows a certificate that is not trusted{_why(error)}", *told
            ) from error
        except aiohttp.ClientConnectionError as error:
            raise failed(UpstreamUnavailable, "cannot be reached", *told) from error
        except aiohttp.ClientError as error:
            raise failed(UpstreamError, "answered something that is not HTTP", *told) from error

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=Connector(self._context, self._settings.receive_buffer),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout),
                headers={"Accept-Encoding": "identity", "User-Agent": f"stacbridge/{version('stacbridge')}"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                read_bufsize=BUFFER,
                middlewares=(_once,),
            )
        return self._opened


async def _once(request: ClientRequest, ask: ClientHandlerType) -> ClientResponse:
    """Keep the session from repeating a request whose connection was lost: repeats are counted elsewhere."""
    try:
        return await ask(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def _why(error: aiohttp.ClientConnectorCertificateError) -> str:
    """Return what is wrong with a certificate, and how others are trusted."""
    message = getattr(error.certificate_error, "verify_message", "it cannot be checked")
    return f" ({message}); SSL_CERT_FILE names the authorities that are"


def asked(method: str, url: str) -> str:
    """Return what was asked in words that may be shown: a query can carry a signature, so it is left out."""
    return f"{method} {url.partition('?')[0]}"


def leave(response: aiohttp.ClientResponse) -> None:
    """Be done with an answer whose body was read from the connection itself, to its end."""
    connection = response.connection
    transport, protocol = connection and connection.transport, connection and connection.protocol
    lasting = (
        response.version == aiohttp.HttpVersion11
        and "close" not in response.headers.get("Connection", "").lower()
    )
    if protocol is None or not isinstance(transport, TlsTransport) or not lasting:
        drop(response)
        return
    protocol.connection_lost(None)  # it still waits for the body that went past it
    response.close()
    transport.park()


def drop(response: aiohttp.ClientResponse) -> None:
    """Be done with an answer: keep its connection for reuse if it was read to the end, else cut it at once.

    Cut, because a TLS farewell waits for the other side, and would hold the account's slot meanwhile.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()
