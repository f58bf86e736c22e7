"""How connections to upstreams are made: as aiohttp makes them, but for TLS on the socket itself."""

import asyncio
import socket
import ssl
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohappyeyeballs import start_connection
from aiohttp.client_proto import ResponseHandler

from stacbridge.download.origin import Origin, Origins
from stacbridge.download.tls import TlsTransport


class Connector(aiohttp.TCPConnector):
    """aiohttp's connector with `TlsTransport`, whose handshakes go on from earlier ones with the same server.

    aiohttp has no documented place for a transport of one's own; a test fails where this one is not used.
    """

    def __init__(self, context: ssl.SSLContext, held: int) -> None:
        """Trust whom `context` trusts; the kernel holds `held` bytes of a connection at most, unless 0."""
        super().__init__(limit=0, ssl=context, socket_factory=partial(roomy, held) if held else None)
        self._origins = Origins()

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close the connections that are kept."""
        self._origins.close()
        await super().close(abort_ssl=abort_ssl)

    async def _wrap_create_connection(
        self, *args: Any, ssl: ssl.SSLContext | None = None, **kwargs: Any
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        if ssl is None or sys.platform == "win32":  # whose event loop watches no sockets
            return await super()._wrap_create_connection(*args, ssl=ssl, **kwargs)
        origin = self._origins.at(kwargs["server_hostname"], kwargs["req"].port)
        protocol = self._factory()
        if (waiting := origin.take()) is not None:
            waiting.set_protocol(protocol)
            protocol.connection_made(waiting)
            return waiting, protocol
        return await self._over_tls(ssl, origin, protocol, **kwargs), protocol

    async def _over_tls(
        self,
        context: ssl.SSLContext,
        origin: Origin,
        protocol: ResponseHandler,
        *,
        addr_infos: Any,
        req: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,
        server_hostname: str,
        client_error: type[aiohttp.ClientConnectorError] = aiohttp.ClientConnectorError,
    ) -> asyncio.Transport:
        try:
            async with asyncio.timeout(timeout.sock_connect):
                plain = await start_connection(
                    addr_infos,
                    happy_eyeballs_delay=self._happy_eyeballs_delay,
                    socket_factory=self._socket_factory,
                )
                connection = context.wrap_socket(
                    plain,
                    server_hostname=server_hostname,
                    do_handshake_on_connect=False,
                    session=origin.session,
                )
                return await TlsTransport.over(connection, protocol, origin)
        except ssl.SSLCertVerificationError as error:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
        except ssl.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from error
        except TimeoutError:
            raise
        except OSError as error:
            raise client_error(req.connection_key, error) from error


def roomy(held: int, address: Any) -> socket.socket:
    """Return a socket for an address, of which the kernel holds `held` bytes.

    Where it allows less, the bound is left to it: the less would be fixed, and slow over far lines.
    """
    made = socket.socket(*address[:3])
    if held <= _most():
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, held)
    return made


@cache
def _most() -> int:
    """Return the kernel's bound for such room, 0 where it states none."""
    try:
        return int(Path("/proc/sys/net/core/rmem_max").read_text())
    except (OSError, ValueError):
        return 0
