"""An account at a catalogue, as settings and callers give it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

SECRETS = ("password", "totp_secret", "refresh_token", "client_secret", "s3_secret")
"""Members of an account that nobody may see."""


class Credentials(BaseModel):
    """An account at one catalogue. Which members it needs depends on the catalogue's access flow.

    Each secret may stand in a file of its own instead, named by the member with `_file` at its end.
    """

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    username: str | None = None
    """Name of the account."""
    password: SecretStr | None = None
    """Password of the account."""
    totp_secret: SecretStr | None = None
    """The base32 secret of a second factor, where the account has one."""
    refresh_token: SecretStr | None = None
    """A refresh token or offline token, as `stacbridge login` or the upstream's own page gives it."""
    client_id: str | None = None
    """The OAuth client that logs in, where the catalogue names none or you have your own."""
    client_secret: SecretStr | None = None
    """Secret of that client, where it has one."""
    s3_key: str | None = None
    """Id of a key to the upstream's S3 storage, from which single files then come."""
    s3_secret: SecretStr | None = None
    """Secret of that key."""

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: Any) -> Any:
        return read_files(given, SECRETS)


def read_files(given: Any, secrets: tuple[str, ...]) -> Any:
    """Return a table with its secrets from the files that it names; a line break at their end is no part.

    Raises `ValueError` for a secret that is given twice, or whose file cannot be read.
    """
    if not isinstance(given, dict):
        return given
    members = dict(given)
    for name in secrets:
        file = members.pop(f"{name}_file", None)
        if file is None:
            continue
        if members.get(name) is not None:
            raise ValueError(f"{name} and {name}_file are both set")
        try:
            members[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, TypeError, UnicodeDecodeError):
            raise ValueError(f"{name}_file cannot be read") from None
    return members
