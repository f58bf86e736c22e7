"""Spooled files in a bucket: for other bridges, after a restart, and once the folder is too small."""

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
import trustme
from pydantic import ValidationError

from conformance.faults.kit import CUT, MD5, NIGHT, PRODUCT, SHA256, whole
from stacbridge.download.hooks import NO_HOOKS, Hooks
from stacbridge.download.spool import key_of
from stacbridge.errors import Misconfigured
from stacbridge.settings import Bucket, Settings
from stacbridge.simulators.chaos import Act, Asked, Chaos
from stacbridge.simulators.s3 import SECRET, S3Simulator
from tests.unit.bucket_kit import PREFIX, bucket, stored
from tests.unit.download_servers import PATIENCE, Bridge, OneAsset, in_front_of, within

WHOLE = Act(ignore_range=True)


@pytest.fixture
def storage() -> Iterator[S3Simulator]:
    with S3Simulator({}, writable=True, presigned=True) as simulator:
        yield simulator


@pytest.fixture
def chaos() -> Iterator[Chaos]:
    with Chaos(PRODUCT, WHOLE) as server:
        yield server


def catalogue(chaos: Chaos, **ready: Any) -> OneAsset:
    return in_front_of(chaos, ranges=False, **ready)


def bridge(
    folder: Path, place: Chaos | OneAsset, told: Bucket, hooks: Hooks = NO_HOOKS, **settings: Any
) -> Bridge:
    """Return a bridge with a folder of its own and the bucket."""
    one = catalogue(place) if isinstance(place, Chaos) else place
    given: dict[str, Any] = {**NIGHT, "spool_folder": folder, "spool_bucket": told, "connect_timeout": 2}
    return Bridge(one, hooks=hooks, **{**given, **settings})


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


def test_another_bridge_gives_whole_files_heads_and_ranges_from_the_bucket(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    with filled(tmp_path, storage, chaos) as etag, bridge(tmp_path, chaos, bucket(storage)) as other:
        head = other.ask("HEAD")
        assert (head.status, head.headers["content-length"]) == (200, str(len(PRODUCT)))
        assert (head.headers["etag"], head.headers["accept-ranges"]) == (etag, "bytes")
        part = other.ask(headers={"Range": "bytes=1000-1999", "If-Range": etag})
        assert (part.status, part.body) == (206, PRODUCT[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(PRODUCT)}"
        assert other.ask(headers={"Range": "bytes=-22"}).body == PRODUCT[-22:]
        assert whole(other.ask(headers={"Range": "bytes=5-", "If-Range": '"another"'}))
        all = other.ask()
        assert whole(all)
        assert all.headers["content-disposition"] == 'attachment; filename="S2A.zip"'
        assert other.ask(headers={"Range": "bytes=99999999-"}).status == 416
        assert (fetches(chaos), storage.refused) == (0, [])


def test_a_file_that_had_to_leave_the_folder_is_had_from_the_bucket(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    one, another = catalogue(chaos), catalogue(chaos, path="/another")
    first = one.place
    with bridge(tmp_path, one, bucket(storage), spool_bytes=len(PRODUCT) + 1000) as here:
        assert whole(here.ask())
        assert kept(storage)
        one.place = another.place
        assert whole(here.ask())
        assert kept(storage, 2)
        one.place = first
        assert here.ask(headers={"Range": "bytes=7-9"}).body == PRODUCT[7:10]
        assert fetches(chaos) == 2


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


def listing(sizes: dict[str, int]) -> bytes:
    """Return a bucket's list of objects."""
    entries = (
        f"<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-11-21T00:00:00Z</LastModified></Contents>"
        for key, size in sizes.items()
    )
    return f"<ListBucketResult>{''.join(entries)}</ListBucketResult>".encode()


def test_clients_are_sent_to_the_bucket_where_the_settings_say_so(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    told = bucket(storage, presigned=60)
    with filled(tmp_path, storage, chaos) as etag, bridge(tmp_path, chaos, told) as other:
        sent = other.ask(headers={"Range": "bytes=0-9"})
        assert (sent.status, sent.headers["cache-control"]) == (307, "no-store")
        assert SECRET not in sent.headers["location"]
        there = requests.get(sent.headers["location"], headers={"Range": "bytes=0-9"}, timeout=PATIENCE)
        assert (there.status_code, there.content) == (206, PRODUCT[:10])
        assert there.headers["Content-Type"] == "application/zip"
        assert there.headers["Content-Disposition"] == 'attachment; filename="S2A.zip"'
        assert other.ask("HEAD").headers["content-length"] == str(len(PRODUCT))
        mine = other.ask(headers={"Range": "bytes=5-9", "If-Range": etag})
        assert (mine.status, mine.body) == (206, PRODUCT[5:10])


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


def test_a_bucket_is_trusted_by_the_authorities_of_the_system(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    storage.socket = context.wrap_socket(storage.socket, server_side=True)
    told = bucket(f"https://localhost:{storage.server_port}")
    with bridge(tmp_path / "strange", chaos, told) as stranger:
        assert whole(stranger.ask())
        assert within(PATIENCE, lambda: stranger.proxy.spool()["bucket"]["state"] == "down")
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with bridge(tmp_path / "one", chaos, told) as one:
        assert whole(one.ask())
        assert kept(storage)
    with bridge(tmp_path / "two", chaos, told) as two:
        assert whole(two.ask())
    assert fetches(chaos) == 2


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


def test_one_users_file_is_never_anothers(tmp_path: Path, storage: S3Simulator, chaos: Chaos) -> None:
    own = Hooks(scope_of=lambda principal, catalogue: f"{catalogue}/{getattr(principal, 'id', '')}")
    with bridge(tmp_path, chaos, bucket(storage), own) as here:
        for user in ("ada", "bob"):
            assert whole(here.ask(headers={"X-User": user}))
        assert kept(storage, 2)
    owners = {orjson.loads(content)["owner"] for path, content in storage.objects.items() if "json" in path}
    assert (fetches(chaos), len(owners)) == (2, 2)
    (ada, bob) = sorted(name for name in stored(storage) if not name.endswith(".json"))
    record = storage.objects[f"{PREFIX}{bob}.json"]
    storage.objects[f"{PREFIX}{ada}.json"] = record
    storage.objects[f"{PREFIX}{bob}.json"] = orjson.dumps({**orjson.loads(record), "owner": "nobody"})
    with bridge(tmp_path / "other", chaos, bucket(storage), own) as other:
        for user in ("ada", "bob"):
            assert whole(other.ask(headers={"X-User": user}))
    assert fetches(chaos) == 4


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


def test_readers_of_two_bridges_are_served_at_once(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    with (
        filled(tmp_path, storage, chaos),
        bridge(tmp_path / "one", chaos, bucket(storage)) as one,
        bridge(tmp_path / "two", chaos, bucket(storage)) as two,
    ):
        answers = []
        threads = [
            threading.Thread(target=lambda here=here: answers.append(here.ask())) for here in (one, two) * 4
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert ([whole(answer) for answer in answers], fetches(chaos)) == ([True] * 8, 0)


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


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    told = Bucket.model_validate(
        {"endpoint": "https://s3.eu", "name": "spool", "key": "k", "secret_file": str(tmp_path / "secret")}
    )
    assert told.secret.get_secret_value() == "from a file"


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "s3.eu"},
        {"endpoint": "https://u@s3.eu"},
        {"name": "a/b"},
        {"prefix": "/x"},
        {"prefix": "x"},
    ],
)
def test_a_bucket_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        bucket("https://s3.eu", **wrong)


def test_a_bucket_without_a_folder_is_refused() -> None:
    with pytest.raises(Misconfigured, match="spool_folder"):
        Bridge(OneAsset(RuntimeError()), spool_bucket=bucket("https://s3.eu"))


def test_a_file_with_a_stated_checksum_is_shared_too(
    tmp_path: Path, storage: S3Simulator, chaos: Chaos
) -> None:
    checked = catalogue(chaos, checksum=MD5)
    with bridge(tmp_path / "one", checked, bucket(storage)) as one:
        assert whole(one.ask())
        assert kept(storage)
    with bridge(tmp_path / "two", checked, bucket(storage)) as two:
        assert whole(two.ask())
    assert fetches(chaos) == 1
