"""URLs that were signed by whoever gave them, so that anyone may read what they lead to, for a while.

Known by their parameters: Amazon's and Google's V4 signatures, Azure's SAS, CloudFront's and Amazon's V2.
"""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from stacbridge import scalars

SIGNED = (
    {"x-amz-signature"},
    {"x-goog-signature"},
    {"sig", "se"},
    {"signature", "expires"},
)
DATED = ("x-amz", "x-goog")


def is_presigned(url: str) -> bool:
    """Tell whether a URL carries a signature of its own."""
    names = _parameters(url).keys()
    return any(signature <= names for signature in SIGNED)


def end(url: str) -> float | None:
    """Return the Unix time at which a presigned URL ends; None where it does not say so in a known way."""
    told = _parameters(url)
    for vendor in DATED:
        begin, seconds = _begin(told.get(f"{vendor}-date", "")), told.get(f"{vendor}-expires", "")
        if begin is not None and seconds.isdecimal():
            return begin + int(seconds[:9])
    if "sig" in told:
        moment = scalars.instant(told.get("se"))
        return None if moment is None else moment.timestamp()
    return float(told["expires"][:12]) if told.get("expires", "").isdecimal() else None


def ends_by(url: str, moment: float) -> bool:
    """Tell whether a presigned URL says that it ends before a Unix time."""
    last = end(url)
    return last is not None and last < moment


def _parameters(url: str) -> dict[str, str]:
    return {name.lower(): value for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)}


def _begin(stamp: str) -> float | None:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
