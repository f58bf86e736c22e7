"""AWS Signature Version 4 for objects: in headers, or in a URL that then lets anyone have them.

Paths are escaped once, as S3 wants it (docs.aws.amazon.com, "Authenticating Requests (AWS Signature Version
4)").
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY = sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
DEFAULT_PORTS = {"https": 443, "http": 80}
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Key:
    """An access key of S3-compatible storage, and the region that it is for."""

    id: str
    secret: str = field(repr=False)
    region: str

    def headers(
        self,
        method: str,
        url: str,
        now: datetime,
        more: Mapping[str, str] | None = None,
        digest: str = EMPTY,
    ) -> dict[str, str]:
        """Return the headers that sign a request at `now` (UTC); `more` (lower case) are signed, too.

        `digest` is the SHA-256 of its body, in hexadecimal.
        """
        stamp = _stamp(now)
        told = {"x-amz-content-sha256": digest, "x-amz-date": stamp}
        signed = {"host": _host(url), **told, **(more or {})}
        signature = self._signature(method, url, signed, digest, stamp)
        credential = f"{self.id}/{self._scope(stamp)}"
        names = ";".join(sorted(signed))
        authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return {"Authorization": authorization, **told}

    def presigned(self, url: str, now: datetime, seconds: int) -> str:
        """Return the URL at which anyone may GET what is at `url`, for `seconds` from `now` (UTC) on."""
        stamp = _stamp(now)
        told = [
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", f"{self.id}/{self._scope(stamp)}"),
            ("X-Amz-Date", stamp),
            ("X-Amz-Expires", str(seconds)),
            ("X-Amz-SignedHeaders", "host"),
        ]
        whole = f"{url}{'&' if urlsplit(url).query else '?'}{_query(told)}"
        signature = self._signature("GET", whole, {"host": _host(url)}, UNSIGNED, stamp)
        return f"{whole}&X-Amz-Signature={signature}"

    def _signature(self, method: str, url: str, signed: Mapping[str, str], body: str, stamp: str) -> str:
        parts = urlsplit(url)
        names = sorted(signed)
        request = "\n".join(
            [
                method,
                quote(unquote(parts.path), safe="/") or "/",
                _query(parse_qsl(parts.query, keep_blank_values=True)),
                *(f"{name}:{signed[name]}" for name in names),
                "",
                ";".join(names),
                body,
            ]
        )
        text = "\n".join([ALGORITHM, stamp, self._scope(stamp), sha256(request.encode()).hexdigest()])
        return hmac.digest(self._signing(stamp), text.encode(), "sha256").hex()

    def _signing(self, stamp: str) -> bytes:
        key = f"AWS4{self.secret}".encode()
        for word in self._scope(stamp).split("/"):
            key = hmac.digest(key, word.encode(), "sha256")
        return key

    def _scope(self, stamp: str) -> str:
        return f"{stamp[:8]}/{self.region}/s3/aws4_request"


def _stamp(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")


def _host(url: str) -> str:
    """Return the header Host of a request to `url`."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.hostname}{port}"


def _query(pairs: Pairs) -> str:
    escaped = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in escaped)
