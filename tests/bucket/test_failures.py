"""A bucket that fails, is full, or lost what was in it: downloads go on, and nothing wrong comes of it."""

import logging
from pathlib import Path
from typing import Any

import orjson
import pytest

from conformance.faults.kit import CUT, PRODUCT, SHA256, whole
from stacbridge.download.spool import key_of
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Asked, Chaos
from stacbridge.simulators.s3 import S3Simulator
from tests.unit.bucket_bridges import bridge, catalogue, fetches, filled, kept, listing
from tests.unit.bucket_kit import PREFIX, bucket, stored
from tests.unit.download_servers import PATIENCE, within


def test_a_connection_to_the_bucket_that_breaks_is_replaced(tmp_path: Path, chaos: Chaos) -> None:
    record = {"owner": key_of("one", "one"), "file": "S2A.zip", "media_type": "application/zip"}
    record |= {"size": str(len(PRODUCT)), "checksum": SHA256}
    acts = iter([Act(stop_after=1_000_000)])

    def answer(number: int, asked: Asked) -> Act:
        path, _, query = asked.path.partition("?")
        if "list-type=2" in query:
            key = query.partition("prefix=spool%2F")[2].partition(".")[0]
            return Act(body=listing({f"spool/{key}.1": len(PRODUCT), f"spool/{key}.1.json": 9}))
        if path.endswith(".1"):
            return next(acts, Act())
        return Act(body=orjson.dumps(record))

    with Chaos(PRODUCT, script=answer) as flaky, bridge(tmp_path, chaos, bucket(flaky.url)) as here:
        assert whole(here.ask())
        files = [asked for asked in flaky.asked if asked.path.endswith(".1")]
        assert [asked.headers.get("range") for asked in files] == [None, f"bytes=1000000-{len(PRODUCT) - 1}"]
    assert fetches(chaos) == 0


def test_nobody_is_sent_to_a_file_that_another_bridge_has_removed(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    told = bucket(storage, presigned=60)
    with filled(tmp_path, storage, chaos), bridge(tmp_path, chaos, told) as other:
        assert other.ask().status == 307
        storage.objects.clear()
        assert whole(other.ask())
        assert fetches(chaos) == 1


@pytest.mark.parametrize("presigned", [None, 60])
def test_a_file_that_is_gone_from_the_bucket_is_fetched_again(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos, presigned: int | None
) -> None:
    told = bucket(storage, presigned=presigned)
    with filled(tmp_path, storage, chaos), bridge(tmp_path, chaos, told) as other:
        assert other.ask("HEAD").status == 200
        for name in [name for name in stored(storage) if not name.endswith(".json")]:
            del storage.objects[f"{PREFIX}{name}"]
        assert whole(other.ask())
        assert fetches(chaos) == 1
        assert kept(storage)


def test_a_flipped_byte_in_the_bucket_cuts_the_client_and_the_file_is_dropped(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    with filled(tmp_path, storage, chaos), bridge(tmp_path, chaos, bucket(storage)) as other:
        (name,) = (name for name in stored(storage) if not name.endswith(".json"))
        content = storage.objects[f"{PREFIX}{name}"]
        storage.objects[f"{PREFIX}{name}"] = content[:-9] + b"?" + content[-8:]
        with pytest.raises(CUT):
            other.ask()
        assert within(PATIENCE, lambda: stored(storage) == [])
        assert whole(other.ask())
        assert fetches(chaos) == 1


def test_a_bucket_that_knows_no_ranges_is_not_given_parts_from_and_keeps_its_files(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    with filled(tmp_path, storage, chaos), bridge(tmp_path, chaos, bucket(storage)) as other:
        storage.ranges = False
        before = stored(storage)
        assert other.ask(headers={"Range": "bytes=7-9"}).body == PRODUCT[7:10]
        assert (fetches(chaos), stored(storage)) == (1, before)


@pytest.mark.parametrize(
    "failure", [(503, "SlowDown"), (403, "InvalidAccessKeyId"), (500, "InternalError"), (404, "NoSuchBucket")]
)
def test_a_bucket_that_fails_is_no_failure_of_a_download(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos, failure: tuple[int, str]
) -> None:
    storage.fails = lambda method, target: failure
    with bridge(tmp_path, chaos, bucket(storage)) as here:
        assert whole(here.ask())
        assert here.ask(headers={"Range": "bytes=7-9"}).body == PRODUCT[7:10]
        assert within(PATIENCE, lambda: here.proxy.spool()["bucket"]["state"] != "ok")
        assert failure[1] in " ".join(here.proxy.spool()["bucket"]["troubles"])
        assert fetches(chaos) == 1


def test_a_bucket_that_takes_nothing_for_now_is_read_all_the_same(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    with filled(tmp_path, storage, chaos), bridge(tmp_path, chaos, bucket(storage), retries=0) as other:
        storage.fails = lambda method, target: (503, "SlowDown") if method == "PUT" else None
        assert whole(other.ask())
        assert within(PATIENCE, lambda: "SlowDown" in storage.refused)
        assert [whole(other.ask()) for _ in range(3)] == [True] * 3
        assert fetches(chaos) == 0


def test_a_bucket_that_is_back_gets_what_waited_for_it(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    storage.fails = lambda method, target: (503, "SlowDown")
    with bridge(tmp_path, chaos, bucket(storage), breaker_seconds=0.2) as here:
        assert whole(here.ask())
        assert within(PATIENCE, lambda: here.proxy.spool()["bucket"]["state"] != "ok")
        storage.fails = lambda method, target: None
        assert kept(storage)
        assert within(PATIENCE, lambda: here.proxy.spool()["bucket"]["state"] == "ok")


def test_a_bucket_that_hangs_delays_one_download_and_then_none(tmp_path: Path, chaos: Chaos) -> None:
    quick: dict[str, Any] = {"connect_timeout": 0.5, "read_timeout": 0.5, "retries": 0}
    with (
        Chaos(b"", Act(ending="stall", silent=True)) as hanging,
        bridge(tmp_path, catalogue(chaos), bucket(hanging.url), **quick) as here,
    ):
        assert whole(here.ask())
        before = len(hanging.asked)
        assert [here.ask("HEAD").status for _ in range(3)] == [200] * 3
        assert len(hanging.asked) == before


def test_a_full_bucket_keeps_nothing_and_the_folder_goes_on(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    storage.shelf.most = 1000
    with bridge(tmp_path, chaos, bucket(storage)) as here:
        assert whole(here.ask())
        assert within(PATIENCE, lambda: "QuotaExceeded" in storage.refused)
        assert within(PATIENCE, lambda: here.proxy.spool()["bucket"]["state"] == "failing")
        assert here.ask(headers={"Range": "bytes=7-9"}).body == PRODUCT[7:10]
    assert stored(storage) == []


def test_what_a_killed_bridge_left_half_uploaded_is_given_up_at_the_next_start_and_sent_anew(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    storage.fails = lambda method, target: (503, "SlowDown") if method == "PUT" else None
    with bridge(tmp_path, chaos, bucket(storage)) as here:
        assert whole(here.ask())
    (path,) = tmp_path.glob("*.file")
    storage.fails = lambda method, target: None
    storage.shelf.post(f"{PREFIX}{path.stem}", {"uploads": ""}, {}, b"")
    storage.shelf.post(f"{PREFIX}another.1", {"uploads": ""}, {}, b"")
    with bridge(tmp_path, chaos, bucket(storage)) as here:
        assert within(PATIENCE, lambda: len(storage.shelf.uploads) == 1)
        assert whole(here.ask())
        assert kept(storage)
    assert [upload.path for upload in storage.shelf.uploads.values()] == [f"{PREFIX}another.1"]
    assert fetches(chaos) == 1


def test_the_secret_is_shown_nowhere(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = bucket(storage, secret="canary/wrong+secret")
    with bridge(tmp_path, chaos, told) as here:
        assert whole(here.ask())
        assert within(PATIENCE, lambda: bool(here.proxy.spool()["bucket"]["troubles"]))
        said = [caplog.text, repr(here.proxy.spool()), repr(told), repr(Settings(spool_bucket=told))]
    assert "SignatureDoesNotMatch" in caplog.text
    assert not any("canary" in text for text in said)
