"""A bridge that is killed while a file goes to the bucket: nobody takes what is left for the whole."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stacbridge.download.uploads import PART
from stacbridge.simulators.chaos import Act, Chaos
from stacbridge.simulators.s3 import S3Simulator
from tests.unit.bucket_kit import PREFIX, bucket, stored
from tests.unit.download_servers import PATH, Bridge, Heard, in_front_of, within

PATIENCE = 30
PRODUCT = b"PK\x03\x04" + b"".join(number.to_bytes(4, "big") for number in range(PART * 5 // 8))
"""A product of two parts and a half."""
WRITES = ["POST", "PUT", "PUT", "PUT", "POST", "PUT"]
"""Requests that put it into the bucket: begin, three parts, end, record."""


class Stopping:
    """Notes what writes to a storage; the `number`th such request waits until the bridge is dead."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.methods: list[str] = []
        self.reached, self.dead = threading.Event(), threading.Event()

    def __call__(self, method: str, target: str) -> None:
        if method in ("PUT", "POST") and not self.dead.is_set():
            self.methods.append(method)
            if len(self.methods) == self.number:
                self.reached.set()
                assert self.dead.wait(PATIENCE)


@contextmanager
def victim(chaos: Chaos, storage: S3Simulator, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a bridge that can be killed; give its process and port."""
    command = [sys.executable, "-m", "conformance.spooled_bridge", chaos.url, storage.url, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("Ready: "), "the bridge did not start"
        yield process, int(ready.removeprefix("Ready: "))


def bridge(chaos: Chaos, storage: S3Simulator, folder: Path) -> Bridge:
    return Bridge(in_front_of(chaos, ranges=False), spool_folder=folder, spool_bucket=bucket(storage))


def download(port: int) -> Heard:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        client.request("GET", PATH)
        answer = client.getresponse()
        return Heard(answer.status, {}, answer.read())
    finally:
        client.close()


def is_whole(heard: Heard) -> bool:
    return (heard.status, heard.body) == (200, PRODUCT)


def is_kept(storage: S3Simulator) -> bool:
    """Tell whether one file is in the bucket, whole and with its record, and nothing else."""
    names = stored(storage)
    return (
        len(names) == 2
        and names[1] == f"{names[0]}.json"
        and storage.objects[f"{PREFIX}{names[0]}"] == PRODUCT
        and not storage.shelf.uploads
    )


@pytest.mark.parametrize("number", range(1, len(WRITES) + 1))
def test_a_bridge_killed_at_any_request_to_the_bucket_goes_on_at_its_next_start(
    tmp_path: Path, number: int
) -> None:
    stopping = Stopping(number)
    with Chaos(PRODUCT, Act(ignore_range=True)) as chaos, S3Simulator({}, writable=True) as storage:
        storage.fails = stopping
        with victim(chaos, storage, tmp_path / "one") as (process, port):
            assert is_whole(download(port))
            assert stopping.reached.wait(PATIENCE)
            process.kill()
        stopping.dead.set()
        with bridge(chaos, storage, tmp_path / "one") as again:
            assert is_whole(again.ask())
            assert within(PATIENCE, lambda: is_kept(storage))
        with bridge(chaos, storage, tmp_path / "another") as another:
            assert is_whole(another.ask())
        assert [asked.method for asked in chaos.asked] == ["GET"]
        assert stopping.methods == WRITES[:number]
