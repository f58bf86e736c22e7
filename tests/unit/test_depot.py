"""Files in a bucket that several bridges share: found, kept by their use, and removed at their limits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as slow
from hypothesis import strategies as st

from stacbridge.download.depot import ABANDONED, FRESH, LEFT_OVER, Depot, Label
from stacbridge.errors import UpstreamError
from stacbridge.simulators.s3 import S3Simulator
from tests.unit.bucket_kit import PREFIX, Clock, bucket, objects, stored

DAY = 86400
SIZE = 1000
PAIR = SIZE + 200
"""More bytes than a file and its record have, and fewer than two files."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(clock: Clock) -> Iterator[S3Simulator]:
    with S3Simulator({}, writable=True, clock=clock) as simulator:
        yield simulator


def depot(storage: S3Simulator, **given: Any) -> Depot:
    """Return what one bridge has of the bucket."""
    here = objects(storage, wall=storage.clock)
    return Depot(bucket(storage, **given), here, here)


def label(key: str, version: str = "1", owner: str = "cdse") -> Label:
    return Label(key, version, owner, f"{key}.zip", "application/zip")


def keep(depot: Depot, folder: Path, told: Label, size: int = SIZE) -> None:
    """Use a file that is in a bridge's folder."""
    path = folder / told.name
    path.write_bytes(told.key[:1].encode() * size)
    depot.use(told, path, lambda: True)


def keys(storage: S3Simulator) -> str:
    """Return the keys of the files that are there with their records."""
    names = set(stored(storage))
    return "".join(sorted(name.partition(".")[0] for name in names if f"{name}.json" in names))


def test_a_file_that_one_bridge_keeps_is_found_by_another(storage: S3Simulator, tmp_path: Path) -> None:
    keep(depot(storage), tmp_path, label("a"))
    found = depot(storage).find("a", "cdse")
    assert found is not None
    assert (found.name, found.size, found.media_type, found.file) == ("a.1", SIZE, "application/zip", "a.zip")
    assert storage.objects[f"{PREFIX}a.1"] == b"a" * SIZE
    assert found.checksum.startswith("1220")


def test_a_file_is_found_by_its_owner_only(storage: S3Simulator, tmp_path: Path) -> None:
    keep(depot(storage), tmp_path, label("a", owner="ada"))
    assert depot(storage).find("a", "bob") is None


def test_a_file_that_another_bridge_keeps_already_is_not_sent_again(
    storage: S3Simulator, tmp_path: Path
) -> None:
    keep(depot(storage), tmp_path, label("a", "1"))
    keep(depot(storage), tmp_path, label("a", "2"))
    assert stored(storage) == ["a.1", "a.1.json"]


def test_a_file_that_is_gone_from_the_folder_is_not_kept(storage: S3Simulator, tmp_path: Path) -> None:
    depot(storage).use(label("a"), tmp_path / "gone", lambda: True)
    assert stored(storage) == []


def test_what_was_not_used_for_the_longest_time_makes_room_whoever_used_it(
    storage: S3Simulator, clock: Clock, tmp_path: Path
) -> None:
    one, other = (depot(storage, most_bytes=3 * PAIR) for _ in range(2))
    for bridge, key in ((one, "a"), (one, "b"), (other, "c"), (other, "a"), (one, "d")):
        clock.now += 60
        keep(bridge, tmp_path, label(key))
    assert keys(storage) == "acd"


def test_a_file_too_large_for_the_bucket_removes_nothing(storage: S3Simulator, tmp_path: Path) -> None:
    here = depot(storage, most_bytes=2 * PAIR)
    keep(here, tmp_path, label("a"))
    with pytest.raises(UpstreamError, match="no room"):
        keep(here, tmp_path, label("b"), size=3 * PAIR)
    assert keys(storage) == "a"


@slow(deadline=None, max_examples=15)
@given(sizes=st.lists(st.integers(1, 3000), max_size=8), most=st.integers(1000, 5000))
def test_there_is_never_more_than_the_limit_says(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], most: int
) -> None:
    clock, folder = Clock(), tmp_path_factory.mktemp("folder")
    with S3Simulator({}, writable=True, clock=clock) as storage:
        here = depot(storage, most_bytes=most)
        for number, size in enumerate(sizes):
            clock.now += 1
            if size + 200 > most:
                continue
            keep(here, folder, label(str(number)), size)
            here.make_room()
            assert sum(map(len, storage.objects.values())) <= most
            assert str(number) in keys(storage)


def test_a_file_is_kept_no_longer_than_the_setting_says_however_it_is_used(
    storage: S3Simulator, clock: Clock, tmp_path: Path
) -> None:
    here = depot(storage, seconds=2 * DAY)
    keep(here, tmp_path, label("a"))
    for _ in range(2):
        clock.now += DAY
        keep(here, tmp_path, label("a"))
        here.make_room()
        assert keys(storage) == "a"
    clock.now += 1
    here.make_room()
    assert stored(storage) == []


def test_what_another_bridge_is_about_to_finish_is_left_alone_and_what_was_left_over_is_not(
    storage: S3Simulator, clock: Clock
) -> None:
    here, writing = depot(storage, most_bytes=2 * SIZE), objects(storage, wall=clock)
    writing.write("a.1", b"a" * SIZE)
    writing.write("b.1.json", b"{}")
    assert not here.make_room(2 * SIZE)
    assert stored(storage) == ["a.1", "b.1.json"]
    clock.now += LEFT_OVER + 1
    assert here.make_room(2 * SIZE)
    assert stored(storage) == []


def test_uploads_of_an_earlier_start_and_of_long_ago_are_given_up_and_no_others(
    storage: S3Simulator, clock: Clock
) -> None:
    writing = objects(storage, wall=clock)
    writing.begin("old.1", {})
    clock.now += ABANDONED
    for name in ("mine.1", "mine.2", "others.1"):
        writing.begin(name, {})
    clock.now += 1
    depot(storage).tidy(frozenset({"mine.1"}))
    assert sorted(upload.path for upload in storage.shelf.uploads.values()) == [
        f"{PREFIX}mine.2",
        f"{PREFIX}others.1",
    ]


@pytest.mark.parametrize(
    "record", [b"", b"[]", b"{}", b'{"size": "many"}', b"\xff", orjson.dumps({"size": SIZE})]
)
def test_a_record_that_nobody_can_have_written_is_none(storage: S3Simulator, record: bytes) -> None:
    storage.objects.update({f"{PREFIX}a.1": b"a" * SIZE, f"{PREFIX}a.1.json": record})
    assert depot(storage).find("a", "cdse") is None


def test_a_file_of_another_size_than_its_record_says_is_not_there(
    storage: S3Simulator, tmp_path: Path
) -> None:
    keep(depot(storage), tmp_path, label("a"))
    storage.objects[f"{PREFIX}a.1"] += b"more"
    assert depot(storage).find("a", "cdse") is None


def test_a_file_is_looked_up_once_in_a_while(storage: S3Simulator, tmp_path: Path) -> None:
    here = depot(storage)
    keep(here, tmp_path, label("a"))
    before = len(storage.asked)
    assert [here.find("a", "cdse") is None for _ in range(5)] == [False] * 5
    assert (len(storage.asked) - before, FRESH) == (2, 60)


def test_a_file_that_is_dropped_is_gone_with_its_record(storage: S3Simulator, tmp_path: Path) -> None:
    here = depot(storage)
    keep(here, tmp_path, label("a"))
    found = here.find("a", "cdse")
    assert found is not None and here.is_there(found)
    here.drop(found)
    assert (here.find("a", "cdse"), here.is_there(found), stored(storage)) == (None, False, [])


def test_a_bucket_that_does_not_answer_has_nothing() -> None:
    here = objects("http://127.0.0.1:1")
    assert Depot(bucket("http://127.0.0.1:1"), here, here).find("a", "cdse") is None
