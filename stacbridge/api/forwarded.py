"""What reverse proxies in front say of a request: `Forwarded` (RFC 7239) and `X-Forwarded-*`."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
PARAMETERS = re.compile(r'(?<!\w)(\w+)="?([^;,"]+)"?')
"""Parameters of a header; words without a value are passed over at once, however long."""
PORT = re.compile(r"(?<=\]):\d{1,5}$|^([\d.]+):\d{1,5}$", re.ASCII)
NOWHERE = "a local socket"


class Proxies:
    """Reverse proxies that may speak for their clients: those that connect from `networks`.

    A local socket, whose other side has no address, is one.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks

    def sent(self, scope: Scope) -> bool:
        """Tell whether one of them sent a request."""
        client = scope.get("client")
        return client is None or self._listed(client[0])

    def client(self, scope: Scope) -> str:
        """Return the address that a request comes from: the last before those of the proxies.

        Every proxy adds on the right whom it heard; what is left of the first that is not listed, anybody
        could have made up.
        """
        client = scope.get("client")
        address = NOWHERE if client is None else str(client[0])
        if self.sent(scope):
            for said in _hops(Headers(scope=scope)):
                if (heard := _address(said)) is None:
                    break
                address = str(heard)
                if not self._listed(address):
                    break
        return address

    def _listed(self, address: str) -> bool:
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def told(headers: Headers) -> dict[str, str]:
    """Return the parameters of `Forwarded`, as the proxy nearest to the client says them."""
    return {name.lower(): value for name, value in PARAMETERS.findall(first(headers, "forwarded"))}


def first(headers: Headers, name: str) -> str:
    """Return what the proxy nearest to the client says."""
    return headers.get(name, "").partition(",")[0].strip()


def _hops(headers: Headers) -> Iterator[str]:
    """Yield whom the proxies heard, the last first.

    Most proxies write X-Forwarded-For, and pass on a Forwarded that their client made up.
    """
    if "x-forwarded-for" in headers:
        yield from reversed(_elements(headers, "x-forwarded-for"))
        return
    for element in reversed(_elements(headers, "forwarded")):
        yield from (value for name, value in PARAMETERS.findall(element) if name.lower() == "for")


def _elements(headers: Headers, name: str) -> list[str]:
    return [element.strip() for line in headers.getlist(name) for element in line.split(",")]


def _address(text: str) -> Address | None:
    bare = PORT.sub(r"\1", text).strip("[]")
    with suppress(ValueError):
        parsed = ip_address(bare)
        return getattr(parsed, "ipv4_mapped", None) or parsed
    return None
