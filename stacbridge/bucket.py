"""A bucket of S3-compatible storage, as settings give it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from stacbridge.credentials import read_files

MONTH = 30 * 86400


class Bucket(BaseModel):
    """A bucket in which the spool keeps whole files. The secret may stand in a file, named `secret_file`."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    endpoint: Annotated[str, Field(pattern=r"^https?://[^/?#@\s]+/?$")]
    """URL of the storage, without a path."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$")]
    """Name of the bucket, which is there already."""
    prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*$")] = "stacbridge/"
    """What the names of all its objects begin with; bridges with the same prefix share their files, and must
    have the same limits."""
    region: str = "us-east-1"
    """Region that requests are signed for."""
    key: str
    """Id of a key that may list, read, write and delete there."""
    secret: SecretStr
    """Secret of that key."""
    most_bytes: Annotated[int, Field(gt=0)] = 1000**4
    """Bytes that are kept there at most; what was not used for the longest time goes first."""
    seconds: Annotated[float, Field(gt=0)] = MONTH
    """Seconds that a file is kept there."""
    presigned: int | None = Field(default=None, gt=0, le=7 * 86400)
    """Seconds that URLs are good for at which clients then read from the bucket themselves (307); unset: all
    bytes come by way of the bridge."""

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: Any) -> Any:
        return read_files(given, ("secret",))
