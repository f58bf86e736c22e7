"""The `[access]` table of a catalogue: how its account logs in, and where that may be used.

flow = "oidc-password"                  the way to a token; see `oidc`
client_id = "cdse-public"               the OAuth client that logs in, at the endpoint `token`
endpoints = ["download", "catalogue"]   endpoints whose servers may see the token
hosts = ["zipper.dataspace.copernicus.eu"]      further servers that may
offline = "…"                           what to do about products that are offline
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stacbridge.access.oidc import PasswordLogin
from stacbridge.mapping.tables import Table
from stacbridge.model import Json
from stacbridge.settings import Credentials
from stacbridge.wire.hosts import Hosts

FLOWS = ("oidc-password",)


@dataclass(frozen=True, slots=True)
class Terms:
    """A checked table. `login` is the way to a token, `hosts` says who may see it."""

    login: PasswordLogin
    hosts: Hosts
    offline: str | None


def parse(catalogue: str, members: Json, endpoints: Mapping[str, str], credentials: Credentials) -> Terms:
    """Check the table of a catalogue. Raises `Misconfigured` naming file and key."""
    table = Table(f"{catalogue}.toml", "access", members)
    if table.choice("flow", FLOWS) is None:
        raise table.wrong("flow", "is missing")
    named = table.texts("endpoints")
    for name in ("token", *named):
        if name not in endpoints:
            raise table.wrong("endpoints", f"{name!r} is no endpoint of this catalogue")
    client = table.take("client_id", str)
    trusted = [*(endpoints[name] for name in named), *table.texts("hosts")]
    offline = table.optional("offline", str)
    table.done()
    return Terms(
        PasswordLogin(catalogue, endpoints["token"], client, credentials),
        Hosts.listed(trusted, endpoints.values()),
        offline,
    )
