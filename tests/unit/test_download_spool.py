"""Files that their upstream sends only from the beginning, kept on disk so that clients can have parts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from conformance.faults.kit import CUT, MD5, PRODUCT, faced, whole
from stacbridge.errors import Misconfigured
from stacbridge.simulators.chaos import Act, Chaos
from tests.unit.download_servers import PATIENCE, Bridge, OneAsset, in_front_of, within

HALF = len(PRODUCT) // 2


@contextmanager
def spooled(
    folder: Path, *acts: Act, settings: dict[str, Any] | None = None, **given: Any
) -> Iterator[tuple[Bridge, Chaos, OneAsset]]:
    """Run a bridge with a spool in front of an upstream without ranges."""
    keep = {"spool_folder": folder, **(settings or {})}
    with faced(*(acts or (Act(ignore_range=True),)), settings=keep, ranges=False, **given) as served:
        yield served


def files(folder: Path) -> list[str]:
    """Return the kinds of file that are in the spool."""
    return sorted(path.suffix for path in folder.iterdir() if path.name != "lock")


def test_one_fetch_serves_whole_files_heads_and_ranges(tmp_path: Path) -> None:
    with spooled(tmp_path) as (bridge, chaos, _):
        assert whole(bridge.ask())
        head = bridge.ask("HEAD")
        assert (head.headers["content-length"], head.headers["accept-ranges"]) == (str(len(PRODUCT)), "bytes")
        part = bridge.ask(headers={"Range": "bytes=1000-1999"})
        assert (part.status, part.body) == (206, PRODUCT[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(PRODUCT)}"
        tail = bridge.ask(headers={"Range": "bytes=-22", "If-Range": part.headers["etag"]})
        assert (tail.status, tail.body) == (206, PRODUCT[-22:])
        assert len(chaos.asked) == 1
        assert within(PATIENCE, lambda: files(tmp_path) == [".file"])


def test_a_range_is_the_first_thing_that_a_client_may_ask_for(tmp_path: Path) -> None:
    with spooled(tmp_path) as (bridge, chaos, _):
        part = bridge.ask(headers={"Range": f"bytes={HALF}-"})
        assert (part.status, part.body) == (206, PRODUCT[HALF:])
        assert "range" not in chaos.asked[0].headers


def test_another_copy_than_a_client_began_with_is_sent_whole(tmp_path: Path) -> None:
    with spooled(tmp_path) as (bridge, _, _):
        answer = bridge.ask(headers={"Range": "bytes=5-", "If-Range": '"an-earlier-copy"'})
        assert whole(answer)


def test_a_range_outside_the_file_is_416(tmp_path: Path) -> None:
    with spooled(tmp_path) as (bridge, _, _):
        answer = bridge.ask(headers={"Range": "bytes=99999999-"})
        assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(PRODUCT)}")


def test_a_second_reader_rides_on_the_fetch_of_the_first(tmp_path: Path) -> None:
    slow = Act(ignore_range=True, piece=500_000, pause=0.1)
    with spooled(tmp_path, slow) as (bridge, chaos, _):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(bridge.ask())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert [whole(answer) for answer in answers] == [True] * 8
        assert (len(chaos.asked), chaos.peak) == (1, 1)


def test_a_file_without_a_stated_length_is_kept_too(tmp_path: Path) -> None:
    with spooled(tmp_path, Act(ignore_range=True, chunked=True)) as (bridge, chaos, _):
        early = bridge.ask(headers={"Range": "bytes=0-99"})
        assert (early.status, early.body) == (206, PRODUCT[:100])
        assert whole(bridge.ask())
        assert bridge.ask(headers={"Range": "bytes=-4"}).body == PRODUCT[-4:]
        assert len(chaos.asked) == 1


def test_what_a_head_asks_is_not_fetched(tmp_path: Path) -> None:
    with spooled(tmp_path) as (bridge, chaos, _):
        head = bridge.ask("HEAD")
        assert (head.status, head.headers["accept-ranges"]) == (200, "bytes")
        assert [asked.method for asked in chaos.asked] == ["HEAD"]
        assert files(tmp_path) == []


def test_bytes_that_do_not_come_soon_are_503_with_how_far_it_is(tmp_path: Path) -> None:
    stuck = Act(ignore_range=True, stop_after=HALF, ending="stall")
    settings = {"spool_wait": 0.3, "download_idle_timeout": 30}
    with spooled(tmp_path, stuck, settings=settings) as (bridge, _, _):
        answer = bridge.ask(headers={"Range": "bytes=-22"})
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
        assert f"{HALF} of {len(PRODUCT)} bytes" in orjson.loads(answer.body)["description"]


def test_a_file_that_somebody_else_removes_is_fetched_again_and_no_other_is_concerned(tmp_path: Path) -> None:
    with spooled(tmp_path) as (bridge, chaos, catalogue):
        assert whole(bridge.ask())
        assert within(PATIENCE, lambda: files(tmp_path) == [".file"])
        next(tmp_path.glob("*.file")).unlink()
        first = catalogue.place
        point(catalogue, chaos, "another")
        assert whole(bridge.ask())
        catalogue.place = first
        assert whole(bridge.ask())
        assert [asked.path for asked in chaos.asked] == ["/product", "/another", "/product"]


def test_a_head_of_a_file_whose_fetch_stands_in_line_waits_for_nobody(tmp_path: Path) -> None:
    slow = Act(ignore_range=True, stop_after=HALF, ending="stall")
    with (
        spooled(tmp_path, slow, catalogue={"connections": 1}) as (bridge, chaos, catalogue),
        bridge.client(),
    ):
        assert chaos.wait(asked=1, busy=1)
        point(catalogue, chaos, "another")
        with bridge.client():
            assert within(PATIENCE, lambda: bridge.status()["one"]["waiting"] == 1)
            assert bridge.ask("HEAD").status == 200


@pytest.mark.parametrize("act", [Act(stop_after=HALF), Act(flip=HALF)], ids=["cut", "flipped byte"])
def test_a_fetch_that_fails_cuts_its_readers_and_leaves_no_file(tmp_path: Path, act: Act) -> None:
    with spooled(tmp_path, act, Act(), checksum=MD5) as (bridge, _, _):
        with pytest.raises(CUT):
            bridge.ask()
        assert within(PATIENCE, lambda: files(tmp_path) == [])
        assert whole(bridge.ask())


def test_a_fetch_that_is_refused_tells_its_reader_why(tmp_path: Path) -> None:
    with spooled(tmp_path, Act(status=404, body=b"")) as (bridge, _, _):
        assert bridge.ask().status == 404
        assert files(tmp_path) == []


def test_a_fetch_that_everybody_left_ends_after_a_while_and_frees_the_slot(tmp_path: Path) -> None:
    stuck = Act(ignore_range=True, piece=1000, pause=0.05)
    settings = {"download_idle_timeout": 0.3, "download_min_rate": 1}
    with spooled(tmp_path, stuck, settings=settings) as (bridge, chaos, _):
        with bridge.client() as client:
            assert client.recv(64)
        assert chaos.wait(asked=1, busy=0)
        assert within(PATIENCE, lambda: files(tmp_path) == [])


def test_a_whole_file_is_there_after_a_restart_and_an_unfinished_one_is_not(tmp_path: Path) -> None:
    with Chaos(PRODUCT, Act(ignore_range=True)) as chaos:
        catalogue = catalogue_at(chaos)
        with Bridge(catalogue, spool_folder=tmp_path) as bridge:
            etag = bridge.ask("HEAD").headers.get("etag"), bridge.ask().headers["etag"]
        (tmp_path / "abc.def.part").write_bytes(b"PK")
        with Bridge(catalogue, spool_folder=tmp_path) as bridge:
            again = bridge.ask(headers={"Range": "bytes=7-", "If-Range": etag[1]})
        assert (again.status, again.body) == (206, PRODUCT[7:])
        assert files(tmp_path) == [".file"]
        assert sum(asked.method == "GET" for asked in chaos.asked) == 1


def catalogue_at(chaos: Chaos) -> OneAsset:
    """Return a catalogue whose asset is at `chaos`, which has no ranges."""
    return in_front_of(chaos, ranges=False)


def test_a_folder_belongs_to_one_bridge(tmp_path: Path) -> None:
    with spooled(tmp_path), pytest.raises(Misconfigured, match="another bridge"):
        Bridge(OneAsset(RuntimeError()), spool_folder=tmp_path)


def test_a_file_too_large_for_the_spool_is_passed_on_whole_and_refused_in_parts(tmp_path: Path) -> None:
    with spooled(tmp_path, settings={"spool_bytes": HALF}) as (bridge, _, _):
        assert bridge.ask(headers={"Range": "bytes=5-9"}).status == 503
        assert whole(bridge.ask())
        assert files(tmp_path) == []


def test_what_nobody_reads_makes_room_the_longest_unused_first(tmp_path: Path) -> None:
    settings = {"spool_bytes": 2 * len(PRODUCT) + 1000}
    with spooled(tmp_path, settings=settings) as (bridge, chaos, catalogue):
        for name in ("a", "b", "a", "c", "a"):
            point(catalogue, chaos, name)
            assert whole(bridge.ask())
            assert within(PATIENCE, lambda: ".part" not in files(tmp_path))
        assert [asked.path for asked in chaos.asked] == ["/a", "/b", "/c"]
        assert files(tmp_path) == [".file", ".file"]


def point(catalogue: OneAsset, chaos: Chaos, name: str) -> None:
    """Let the catalogue's asset be the file of that name."""
    catalogue.place = in_front_of(chaos, ranges=False, path=f"/{name}").place


def test_a_file_is_kept_no_longer_than_the_setting_says(tmp_path: Path) -> None:
    with spooled(tmp_path, settings={"spool_seconds": 0.001}) as (bridge, chaos, _):
        assert whole(bridge.ask())
        # Who asks while the first answer still ends reads the same file.
        assert within(PATIENCE, lambda: whole(bridge.ask()) and len(chaos.asked) > 1)
        assert within(PATIENCE, lambda: files(tmp_path) == [".file"])
