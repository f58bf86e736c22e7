"""The storage that buckets are in, and the upstream of what is spooled to them."""

from collections.abc import Iterator

import pytest

from conformance.faults.kit import PRODUCT
from stacbridge.simulators.chaos import Act, Chaos
from stacbridge.simulators.s3 import S3Simulator

WHOLE = Act(ignore_range=True)


@pytest.fixture
def storage() -> Iterator[S3Simulator]:
    with S3Simulator({}, writable=True, presigned=True) as simulator:
        yield simulator


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    with Chaos(PRODUCT, WHOLE) as server:
        yield server
