"""Which servers may see a catalogue's credential, and where a redirect may lead."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

PORTS = {"https": 443, "http": 80}
RESERVED = {"localhost", "local", "internal"}
"""Last labels of names that never belong to a public server (RFC 6761, RFC 6762, ICANN's `.internal`)."""

_AUTHORITY = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?=[/?#]|$)", re.I)
_NAME = re.compile(r"(?:[a-z0-9-]+\.)+([a-z][a-z0-9-]*)")


class Origin(NamedTuple):
    """Scheme, host and port of a URL, in lower case."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self | None:
        """Return the origin of an absolute HTTP(S) URL.

        `None` for anything that two parsers could read differently: user information, a backslash, spaces.
        """
        match = _AUTHORITY.match(url)
        if match is None:
            return None
        scheme, host, port = match[1].lower(), match[2].lower(), match[3]
        return cls(scheme, host, int(port) if port else PORTS[scheme])

    @property
    def public(self) -> bool:
        """Whether it looks like a public server: https on its own port, at a name and not an address."""
        name = _NAME.fullmatch(self.host)
        https = self.scheme == "https" and self.port == PORTS["https"]
        return https and name is not None and name[1] not in RESERVED


@dataclass(frozen=True, slots=True)
class Hosts:
    """The servers of one catalogue: `trusted` may see its credential, `known` are all that it names."""

    trusted: frozenset[Origin]
    known: frozenset[Origin]

    @classmethod
    def listed(cls, trusted: Iterable[str], known: Iterable[str] = ()) -> Self:
        """Build from URLs, and from bare host names (with a port or without), which mean https."""
        credential = _origins(trusted)
        return cls(credential, credential | _origins(known))

    def may_see_credential(self, url: str) -> bool:
        """Tell whether `url` is on a server that the credential may go to."""
        return Origin.of(url) in self.trusted

    def may_follow(self, url: str) -> bool:
        """Tell whether a redirect may lead to `url`.

        The catalogue's own servers as they are configured; elsewhere only to a public https server, so that
        no upstream can turn the bridge against its own network, nor send it from https to http. Names are
        judged as written: a public name that resolves to a private address is not detected.
        """
        origin = Origin.of(url)
        return origin is not None and (origin in self.known or origin.public)


def without_query(url: str) -> str:
    """Return a URL without the parts that may hold a secret: user information, query and fragment."""
    return re.split(r"[?#]", url, maxsplit=1)[0] if Origin.of(url) else "a malformed URL"


def _origins(places: Iterable[str]) -> frozenset[Origin]:
    urls = (place if "://" in place else f"https://{place}" for place in places)
    return frozenset(origin for url in urls if (origin := Origin.of(url)) is not None)
