"""Time-based one-time passwords (RFC 6238) with the parameters that every authenticator app uses.

Ten lines of `hmac` in place of a dependency.
"""

import base64
import hmac

STEP = 30
"""Seconds that a code holds."""
DIGITS = 6


def code(secret: str, at: float) -> str:
    """Return the code of a base32 secret (spaces and padding are free) at a Unix time, as six digits.

    Raises `ValueError` where the secret is not base32.
    """
    letters = "".join(secret.split()).rstrip("=").upper()
    key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    digest = hmac.digest(key, int(at // STEP).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)
