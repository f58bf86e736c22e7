"""Files of products in object storage that takes S3 keys, for accounts that have some. In `[access]`:

s3 = "s3"               the endpoint of the storage; paths begin with the bucket
s3_region = "default"   its region
s3_presigned = 900      seconds that a presigned URL is good for, where it takes such; else headers are signed
s3_page = "https://…"   where persons make keys to it
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self
from urllib.parse import quote

from stacbridge.access.sigv4 import Key
from stacbridge.access.variables import setting
from stacbridge.errors import Misconfigured
from stacbridge.mapping.tables import Table
from stacbridge.model import Json, Ready, Request
from stacbridge.settings import Credentials
from stacbridge.wire.hosts import Origin

NOT_NAMES = ("", ".", "..")


@dataclass(frozen=True, slots=True)
class Storage:
    """One storage and an account's key to it. `presigned` are seconds, None: URLs are not signed."""

    url: str
    key: Key
    presigned: int | None = None
    wall: Callable[[], float] = time.time

    @classmethod
    def of(
        cls, catalogue: str, table: Table, endpoints: Mapping[str, str], credentials: Credentials
    ) -> Self | None:
        """Return what the table names, where the account has a key to it. Raises `Misconfigured`."""
        name = table.optional("s3", str)
        region, presigned = table.optional("s3_region", str), table.optional("s3_presigned", int)
        table.optional("s3_page", str)
        if name is None:
            return None
        if name not in endpoints:
            raise table.wrong("s3", f"{name!r} is no endpoint of this catalogue")
        if region is None:
            raise table.wrong("s3_region", "is missing")
        if credentials.s3_key is None and credentials.s3_secret is None:
            return None
        if credentials.s3_key is None or credentials.s3_secret is None:
            names = [setting(catalogue, member) for member in ("s3_key", "s3_secret")]
            raise Misconfigured(f"Of {names[0]} and {names[1]}, only one is set.")
        key = Key(credentials.s3_key, credentials.s3_secret.get_secret_value(), region)
        return cls(endpoints[name].rstrip("/"), key, presigned)

    def find(self, record: Json, path: Sequence[str]) -> str | None:
        """Return the URL of a file inside a product; None where the record does not say where that is."""
        folder = record.get("S3Path")
        if not isinstance(folder, str):
            return None
        names = [*folder.strip("/").split("/"), *path]
        if any(name in NOT_NAMES for name in names):
            return None
        return f"{self.url}/{'/'.join(quote(name, safe='') for name in names)}"

    def ready(self, place: Ready) -> Ready:
        """Return a place here as it is to be asked for: as it is, or at a URL that needs nothing more."""
        if self.presigned is None:
            return place
        url = self.key.presigned(place.request.url, self._now(), self.presigned)
        return replace(place, request=Request("GET", url), presigned=True)

    def holds(self, url: str) -> bool:
        """Tell whether `url` is of this storage, so that requests to it are signed, and no others."""
        return Origin.of(url) == Origin.of(self.url)

    def headers(self, method: str, url: str) -> dict[str, str]:
        """Return the headers that sign a request."""
        return self.key.headers(method, url, self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.wall(), UTC)
