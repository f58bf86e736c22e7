"""A bucket of the simulator, and what a bridge keeps in it."""

from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from stacbridge.bucket import Bucket
from stacbridge.download.objects import Objects
from stacbridge.download.outage import Outage
from stacbridge.download.s3 import S3, UPSTREAM
from stacbridge.settings import Settings
from stacbridge.simulators.s3 import ACCESS, REGION, SECRET, S3Simulator

NOW = 1_795_219_200.0
PREFIX = "/bucket/spool/"


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def bucket(storage: S3Simulator | str, **given: Any) -> Bucket:
    """Return the settings of the bucket in `storage`."""
    url = storage if isinstance(storage, str) else storage.url
    told = {"endpoint": url, "name": "bucket", "prefix": "spool/", "region": REGION, "key": ACCESS}
    return Bucket(**{**told, "secret": SecretStr(SECRET), **given})


def client(
    storage: S3Simulator | str,
    wall: Callable[[], float] = lambda: NOW,
    sleep: Callable[[float], None] = lambda seconds: None,
    outage: Outage | None = None,
    **given: Any,
) -> S3:
    """Return requests to that bucket, by a clock and without waiting."""
    settings = Settings(connect_timeout=5, read_timeout=5)
    told = bucket(storage, **given)
    return S3(told, settings, outage or Outage(UPSTREAM, settings), wall=wall, sleep=sleep)


def objects(storage: S3Simulator | str, **given: Any) -> Objects:
    """Return the objects of the spool in that bucket."""
    return Objects(client(storage, **given), "spool/")


def stored(storage: S3Simulator) -> list[str]:
    """Return the names of the spool's objects."""
    return sorted(path.removeprefix(PREFIX) for path in storage.objects if path.startswith(PREFIX))
