"""An account as the settings hold it: what is there, what is missing, and how long it is good for."""

import base64
import binascii
from dataclasses import dataclass, field

import orjson

from stacbridge.access import totp
from stacbridge.access.terms import Remark
from stacbridge.access.variables import setting
from stacbridge.errors import Misconfigured
from stacbridge.settings import Credentials

DAY = 86400
WARN_DAYS = 14
"""Days before the end of a token from which on its renewal is urged."""
SENTINEL_HUB = "sh-"
"""How user names of Sentinel Hub's OAuth clients begin; CDSE refuses their tokens for files (DAT-ZIP-609)."""


@dataclass(frozen=True, slots=True)
class Account:
    """The credentials of one catalogue."""

    catalogue: str
    credentials: Credentials = field(repr=False)

    def setting(self, member: str) -> str:
        """Return the name of the setting that holds a member."""
        return setting(self.catalogue, member)

    def pair(self) -> tuple[str, str]:
        """Return user name and password. Raises `Misconfigured`, naming what is missing."""
        username, password = self.credentials.username, self.credentials.password
        if username is None or password is None:
            raise self.missing(*self._lacking("username", "password"))
        return username, password.get_secret_value()

    def missing(self, *members: str) -> Misconfigured:
        """Make the failure of members that are not set."""
        return Misconfigured(
            f"Downloads from {self.catalogue} need an account; "
            f"{' and '.join(map(self.setting, members))} not set.",
            upstream=self.catalogue,
            advice=f"Set it, or run `stacbridge login {self.catalogue}`; searching needs no account.",
        )

    def second_factor(self, at: float) -> dict[str, str]:
        """Return the one-time code of Unix time `at` as a form member, where the account has one."""
        secret = self.credentials.totp_secret
        if secret is None:
            return {}
        try:
            return {"totp": totp.code(secret.get_secret_value(), at)}
        except ValueError:
            raise Misconfigured(
                f"{self.setting('totp_secret')} is not a base32 secret.",
                upstream=self.catalogue,
                advice="Copy the secret that the account's page shows beside the QR code.",
            ) from None

    def remarks(self, at: float) -> list[Remark]:
        """Judge an account that logs in by user name and password, or by a kept refresh token."""
        if self.credentials.refresh_token is not None:
            return self.token_remarks(at)
        lacking = self._lacking("username", "password")
        if len(lacking) == 2:
            names = " and ".join(map(self.setting, lacking))
            return [Remark(None, f"None is set. For downloads set {names}, or run {self._login()}.")]
        if lacking:
            return [Remark(False, f"Set {self.setting(lacking[0])} too.")]
        if str(self.credentials.username).startswith(SENTINEL_HUB):
            name = self.setting("username")
            return [Remark(False, f"{name} names a Sentinel Hub client; give the account itself.")]
        second = "and one-time codes" if self.credentials.totp_secret else "without one-time codes"
        return [Remark(True, f"User name and password, {second}.")]

    def token_remarks(self, at: float) -> list[Remark]:
        """Judge a refresh token by its own statement of when it ends (claim `exp`, RFC 7519)."""
        secret = self.credentials.refresh_token
        if secret is None:
            name = self.setting("refresh_token")
            return [Remark(None, f"None is set. For downloads set {name}, or run {self._login()}.")]
        ends = expiry(secret.get_secret_value())
        if ends is None:
            return [Remark(True, "A refresh token, which does not say when it ends.")]
        days = (ends - at) / DAY
        if days <= 0:
            return [Remark(False, f"The refresh token has ended. Run {self._login()} for a new one.")]
        if days < WARN_DAYS:
            return [
                Remark(False, f"The refresh token ends in {days:.0f} days. Run {self._login()} before then.")
            ]
        return [Remark(True, f"A refresh token, good for {days:.0f} days.")]

    def _lacking(self, *members: str) -> list[str]:
        return [member for member in members if getattr(self.credentials, member) is None]

    def _login(self) -> str:
        return f"`stacbridge login {self.catalogue}`"


def expiry(token: str) -> float | None:
    """Return the Unix time at which a JSON Web Token says that it ends; `None` where it says none.

    Nothing is verified: this is for warnings, never for trust.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    return float(ends) if isinstance(ends, int | float) and ends > 0 else None
