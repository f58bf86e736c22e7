"""Spooled files in a bucket: for other bridges, after a restart, and once the folder is too small."""

import ssl
import threading
from pathlib import Path

import orjson
import pytest
import requests
import trustme
from pydantic import ValidationError

from conformance.faults.kit import MD5, PRODUCT, whole
from stacbridge.download.hooks import Hooks
from stacbridge.errors import Misconfigured
from stacbridge.settings import Bucket
from stacbridge.simulators.chaos import Chaos
from stacbridge.simulators.s3 import SECRET, S3Simulator
from tests.unit.bucket_bridges import bridge, catalogue, fetches, filled, kept
from tests.unit.bucket_kit import PREFIX, bucket, stored
from tests.unit.download_servers import PATIENCE, Bridge, OneAsset, within


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
