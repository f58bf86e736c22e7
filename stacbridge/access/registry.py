"""The `[access]` table of a catalogue: how its account logs in, and where that may be used.

flow = "oidc-password"                  a name of `FLOWS`; the flow's own keys are in its module
endpoints = ["download", "catalogue"]   endpoints whose servers may see the credential
hosts = ["zipper.dataspace.copernicus.eu"]      further servers that may
public = ["/Assets("]                   parts of paths that need none there
searches = true                         searches want the credential, too
offline = "…"                           what to do about products that are offline
forbidden = "…"                         what to do about files that the account may not have (403)
ordering = "lta"                        how an OData archive takes orders of products that are offline
order_priority = 50                     priority of such orders, 1 to 100
s3 = "s3"                               object storage of single files, see `storage`
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from stacbridge.access import basic, oidc_terms, sedas
from stacbridge.access.archive import Archive
from stacbridge.access.lta import LtaOrdering
from stacbridge.access.ordering import NoOrders
from stacbridge.access.storage import Storage
from stacbridge.access.terms import Given, Terms
from stacbridge.mapping.tables import Table
from stacbridge.model import Json
from stacbridge.settings import Credentials
from stacbridge.wire.hosts import Hosts


def none(given: Given) -> Terms:
    """Read the table of a catalogue that is open to everybody: `flow = "none"`."""
    return Terms(given.hosts, given.locate, given.ordering)


FLOWS: dict[str, Callable[[Given], Terms]] = {
    "none": none,
    "basic": basic.parse,
    "oidc-password": oidc_terms.password,
    "oidc-offline": oidc_terms.offline,
    "sedas": sedas.parse,
}


def parse(catalogue: str, members: Json, endpoints: Mapping[str, str], credentials: Credentials) -> Terms:
    """Check the table of a catalogue. Raises `Misconfigured` naming file and key."""
    table = Table(f"{catalogue}.toml", "access", members)
    flow = table.choice("flow", FLOWS)
    if flow is None:
        raise table.wrong("flow", "is missing")
    named = table.texts("endpoints")
    if unknown := [name for name in named if name not in endpoints]:
        raise table.wrong("endpoints", f"{unknown[0]!r} is no endpoint of this catalogue")
    trusted = [*(endpoints[name] for name in named), *table.texts("hosts")]
    public = table.texts("public")
    advice = (table.optional("offline", str), table.optional("forbidden", str))
    ordering = _ordering(catalogue, table, endpoints, advice[0])
    takes_orders = isinstance(ordering, LtaOrdering)
    storage = Storage.of(catalogue, table, endpoints, credentials)
    archive = Archive(catalogue, endpoints.get("download", ""), *advice, takes_orders, storage)
    given = Given(
        catalogue=catalogue,
        table=table,
        endpoints=endpoints,
        credentials=credentials,
        hosts=Hosts.listed(trusted, endpoints.values()),
        locate=archive.locate,
        ordering=ordering,
        public=lambda url: any(part in urlsplit(url).path for part in public),
        searches=table.optional("searches", bool) or False,
    )
    terms = replace(FLOWS[flow](given), storage=storage)
    table.done()
    return terms


def _ordering(
    catalogue: str, table: Table, endpoints: Mapping[str, str], advice: str | None
) -> LtaOrdering | NoOrders:
    priority = table.optional("order_priority", int)
    if table.choice("ordering", ("lta",)) is None:
        return NoOrders(catalogue, advice)
    if "catalogue" not in endpoints:
        raise table.wrong("ordering", "needs the endpoint `catalogue`")
    return LtaOrdering(catalogue, endpoints["catalogue"], priority)
