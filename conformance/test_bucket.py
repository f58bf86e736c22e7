"""The spool's bucket in moto, an S3 server that nobody here wrote, which checks signatures by botocore."""

import io
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from conformance.faults.kit import NIGHT, PRODUCT, whole
from stacbridge.bucket import Bucket
from stacbridge.download.objects import Objects
from stacbridge.download.outage import Outage
from stacbridge.download.s3 import S3, UPSTREAM
from stacbridge.download.uploads import upload
from stacbridge.errors import UpstreamRefused
from stacbridge.settings import Settings
from stacbridge.simulators.chaos import Act, Chaos
from tests.unit.download_servers import PATIENCE, Bridge, in_front_of, within

pytestmark = pytest.mark.skipif(find_spec("moto") is None, reason="moto is in the group `conformance`")

SMALLEST = 5 * 1024 * 1024
LARGE = bytes(range(256)) * (2 * SMALLEST // 256) + b"the end"


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-W", "ignore", "-m", "conformance.s3_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        ready = next((line for line in process.stdout if line.startswith("Ready: ")), None)
        assert ready is not None, "moto did not start"
        url, key, secret = ready.removeprefix("Ready: ").split()
        yield {"endpoint": url, "name": "spool", "region": "eu-central-1", "key": key, "secret": secret}
        process.stdin.close()
        process.wait(PATIENCE)


def bucket(settings: dict[str, Any], prefix: str, **more: Any) -> Bucket:
    given = {**settings, "prefix": f"{prefix}/", **more}
    return Bucket(**{**given, "secret": SecretStr(given["secret"])})


def objects(told: Bucket) -> Objects:
    given = Settings()
    return Objects(S3(told, given, Outage(UPSTREAM, given)), told.prefix)


def test_objects_are_written_read_listed_and_removed(settings: dict[str, Any]) -> None:
    here = objects(bucket(settings, "objects"))
    here.write("a.1", b"content", {"content-type": "image/jp2"})
    assert (here.read("a.1"), here.size("a.1"), here.read("b")) == (b"content", 7, None)
    (listed,) = here.list("a.").found
    assert (listed.name, listed.size) == ("a.1", 7)
    assert abs(listed.modified - here.list().now) < PATIENCE
    here.delete("a.1")
    here.delete("a.1")
    assert here.list().found == []


def test_more_objects_than_a_page_holds_are_all_listed(settings: dict[str, Any]) -> None:
    here = objects(bucket(settings, "pages"))
    names = [f"{number:04}" for number in range(1005)]
    for name in names:
        here.write(name, b"")
    assert [each.name for each in here.list().found] == names


def test_a_large_file_goes_there_in_parts_and_what_began_and_did_not_end_is_given_up(
    settings: dict[str, Any],
) -> None:
    here = objects(bucket(settings, "parts"))
    upload(here, "large", io.BytesIO(LARGE), len(LARGE), {"content-type": "image/jp2"}, part=SMALLEST)
    assert here.read("large") == LARGE
    for name in ("a", "b"):
        here.begin(name, {})
    found = here.uploads().found
    assert [each.name for each in found] == ["a", "b"]
    for each in found:
        here.abort(each.name, each.upload)
    assert here.uploads().found == []


@pytest.mark.parametrize("wrong", [{"secret": "another"}, {"key": "AKIANOBODY"}])
def test_a_key_that_is_not_good_is_refused(settings: dict[str, Any], wrong: dict[str, str]) -> None:
    with pytest.raises(UpstreamRefused):
        objects(bucket({**settings, **wrong}, "refused")).read("a")


def test_one_bridge_gives_from_there_what_another_has_fetched(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    with Chaos(PRODUCT, Act(ignore_range=True)) as chaos:
        given: dict[str, Any] = {**NIGHT, "spool_bucket": bucket(settings, "bridges")}
        place = in_front_of(chaos, ranges=False)
        with Bridge(place, spool_folder=tmp_path / "one", **given) as one:
            etag = one.ask().headers["etag"]
            assert within(PATIENCE, lambda: len(objects(given["spool_bucket"]).list().found) == 2)
        with Bridge(place, spool_folder=tmp_path / "two", **given) as two:
            assert whole(two.ask())
            part = two.ask(headers={"Range": "bytes=5-9", "If-Range": etag})
            assert (part.status, part.body) == (206, PRODUCT[5:10])
        assert len(chaos.asked) == 1
