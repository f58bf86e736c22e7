"""AWS Signature Version 4, checked: by steps written from Amazon's description, on the request as it came."""

import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Mapping
from time import strptime
from urllib.parse import parse_qs

ACCESS, SECRET, REGION = "SIMULATEDACCESSKEYID", "simulated/secret+key", "default"
SKEW = 900
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
MUST_BE_SIGNED = {"host", "x-amz-content-sha256", "x-amz-date"}


def fault(method: str, target: str, headers: Mapping[str, str], presigned: bool, now: float) -> str | None:
    """Return the code with which a request is refused at Unix time `now`; None for one that is let in.

    `presigned` tells whether signatures in URLs are taken; header names are lower case.
    """
    path, _, query = target.partition("?")
    if "X-Amz-Signature=" in query:
        return _url_fault(method, path, query, headers, now) if presigned else "InvalidAccessKeyId"
    match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if match is None:
        return "AccessDenied"
    access, day, region, names, signature = match.groups()
    if not set(names.split(";")) >= MUST_BE_SIGNED | _amazon(headers):
        return "AccessDenied"
    stamp, body = headers.get("x-amz-date", ""), headers.get("x-amz-content-sha256", "")
    if scope_fault := _scope_fault(access, day, region, stamp, SKEW, now):
        return scope_fault
    canonical = _canonical(method, path, query, headers, names, body)
    return None if hmac.compare_digest(signature, _sign(canonical, stamp)) else "SignatureDoesNotMatch"


def _amazon(headers: Mapping[str, str]) -> set[str]:
    return {name for name in headers if name.startswith("x-amz-")}


def _url_fault(method: str, path: str, query: str, headers: Mapping[str, str], now: float) -> str | None:
    told = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
    access, day, region, *_ = told["X-Amz-Credential"].split("/")
    stamp = told["X-Amz-Date"]
    if scope_fault := _scope_fault(access, day, region, stamp, int(told["X-Amz-Expires"]), now):
        return scope_fault
    bare, _, signature = query.rpartition("&X-Amz-Signature=")
    canonical = _canonical(method, path, bare, headers, told["X-Amz-SignedHeaders"], "UNSIGNED-PAYLOAD")
    return None if signature == _sign(canonical, stamp) else "SignatureDoesNotMatch"


def _scope_fault(access: str, day: str, region: str, stamp: str, life: int, now: float) -> str | None:
    if access != ACCESS:
        return "InvalidAccessKeyId"
    if region != REGION or not stamp.startswith(day):
        return "AuthorizationHeaderMalformed"
    age = now - timegm(strptime(stamp, "%Y%m%dT%H%M%SZ"))
    return None if -SKEW <= age <= life else "RequestTimeTooSkewed"


def _canonical(method: str, path: str, query: str, headers: Mapping[str, str], names: str, body: str) -> str:
    """Return the canonical request; path and query are taken to be escaped as they must be."""
    lines = "".join(f"{name}:{headers.get(name, '')}\n" for name in names.split(";"))
    pairs = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&") if pair))
    return f"{method}\n{path}\n{pairs}\n{lines}\n{names}\n{body}"


def _sign(canonical: str, stamp: str) -> str:
    day = stamp[:8]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{day}/{REGION}/s3/aws4_request\n{digest}"
    key = hmac.new(b"AWS4" + SECRET.encode(), day.encode(), hashlib.sha256).digest()
    key = hmac.new(key, REGION.encode(), hashlib.sha256).digest()
    key = hmac.new(key, b"s3", hashlib.sha256).digest()
    key = hmac.new(key, b"aws4_request", hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
