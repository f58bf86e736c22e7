"""Bridges with a spool in a folder of their own and in a bucket that they share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.faults.kit import whole
from stacbridge.download.hooks import NO_HOOKS, Hooks
from stacbridge.settings import Bucket
from stacbridge.simulators.chaos import Chaos
from stacbridge.simulators.s3 import S3Simulator
from tests.unit.bucket_kit import bucket, stored
from tests.unit.download_servers import PATIENCE, Bridge, OneAsset, in_front_of, within


def catalogue(chaos: Chaos, **ready: Any) -> OneAsset:
    return in_front_of(chaos, ranges=False, **ready)


def bridge(
    folder: Path, place: Chaos | OneAsset, told: Bucket, hooks: Hooks = NO_HOOKS, **settings: Any
) -> Bridge:
    """Return a bridge with a folder of its own and the bucket."""
    one = catalogue(place) if isinstance(place, Chaos) else place
    return Bridge(one, hooks=hooks, spool_folder=folder, spool_bucket=told, **settings)


def kept(storage: S3Simulator, count: int = 1) -> bool:
    """Wait until so many files are in the bucket with their records."""
    return within(PATIENCE, lambda: len(stored(storage)) == 2 * count)


def fetches(chaos: Chaos) -> int:
    return sum(asked.method == "GET" for asked in chaos.asked)


@contextmanager
def filled(folder: Path, storage: S3Simulator, chaos: Chaos) -> Iterator[str]:
    """Fill the bucket by a bridge that then is gone, with its folder; give the file's ETag."""
    with bridge(folder / "first", chaos, bucket(storage)) as first:
        answer = first.ask()
        assert whole(answer)
        assert kept(storage)
    chaos.asked.clear()
    yield answer.headers["etag"]


def listing(sizes: dict[str, int]) -> bytes:
    """Return a bucket's list of objects."""
    entries = (
        f"<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-11-21T00:00:00Z</LastModified></Contents>"
        for key, size in sizes.items()
    )
    return f"<ListBucketResult>{''.join(entries)}</ListBucketResult>".encode()
