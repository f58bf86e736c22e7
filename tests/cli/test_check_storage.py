"""What `stacbridge check` says of keys to object storage: a catalogue's, and that of the spool's bucket."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from stacbridge.cli import main
from stacbridge.commands import check_storage
from stacbridge.commands.check import examine
from stacbridge.commands.findings import Finding
from stacbridge.mapping.mapping import load
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators.s3 import ACCESS, REGION, SECRET, S3Simulator
from stacbridge.simulators.server import CdseSimulator
from tests.unit.bucket_kit import NOW, PREFIX, bucket

NAMES = "STACBRIDGE_CREDENTIALS__CDSE__S3_KEY and STACBRIDGE_CREDENTIALS__CDSE__S3_SECRET"
PAGE = "https://eodata-s3keysmanager.dataspace.copernicus.eu"


@pytest.fixture
def storage() -> Iterator[S3Simulator]:
    with S3Simulator({}, writable=True) as simulator:
        yield simulator


@pytest.fixture
def archive() -> Iterator[CdseSimulator]:
    with CdseSimulator(size=1000) as simulator:
        yield simulator


def key(url: str, secret: str | None = SECRET, id: str = ACCESS) -> Finding:
    account = Credentials() if secret is None else Credentials(s3_key=id, s3_secret=SecretStr(secret))
    settings = Settings(endpoints={"cdse": {"s3": url}}, credentials={"cdse": account}, retries=0)
    found = check_storage.key(load("cdse", settings), settings)
    assert found is not None
    return found


def test_a_key_that_the_storage_takes_is_good(storage: S3Simulator) -> None:
    assert key(storage.url) == Finding("s3 key", True, "The storage takes it.")
    assert storage.asked == [("GET", "/", None)]


def test_without_a_key_it_says_what_to_set_and_where_keys_are_made(storage: S3Simulator) -> None:
    found = key(storage.url, None)
    assert (found.good, storage.asked) == (None, [])
    assert NAMES in found.said and PAGE in found.said


def test_half_a_key_is_bad_and_names_both_halves() -> None:
    half = Settings(credentials={"cdse": Credentials(s3_key=ACCESS)})
    (found,) = examine("cdse", half)
    assert (found.subject, found.good, ACCESS in found.said) == ("settings", False, False)
    assert f"Of {NAMES}, only one is set." in found.said


@pytest.mark.parametrize(
    ("id", "secret", "code"),
    [(ACCESS, "canary/wrong", "SignatureDoesNotMatch"), ("GONE", "canary/wrong", "InvalidAccessKeyId")],
)
def test_a_key_that_is_refused_is_bad_and_told_by_the_storages_word(
    storage: S3Simulator, id: str, secret: str, code: str
) -> None:
    found = key(storage.url, secret, id)
    assert found.good is False
    assert f"HTTP 403 {code}" in found.said and NAMES in found.said and PAGE in found.said
    assert "canary" not in found.said


def test_a_clock_that_is_off_is_told_of_instead_of_the_key() -> None:
    with S3Simulator({}, clock=lambda: NOW - 10**8) as storage:
        found = key(storage.url)
    assert (found.good, "Set this machine's clock" in found.said, PAGE in found.said) == (False, True, False)


def test_a_key_that_may_not_list_buckets_is_not_judged(storage: S3Simulator) -> None:
    storage.fails = lambda method, target: (403, "AccessDenied")
    assert key(storage.url).good is None


def test_a_storage_that_cannot_be_reached_is_bad() -> None:
    found = key("http://127.0.0.1:1")
    assert (found.good, "cannot be reached" in found.said) == (False, True)


def test_a_catalogue_without_storage_is_not_tested() -> None:
    settings = Settings()
    assert check_storage.key(load("terrascope", settings), settings) is None


def test_a_bucket_that_does_what_the_spool_needs_is_good_and_left_as_it_was(storage: S3Simulator) -> None:
    storage.objects[f"{PREFIX}a.1"] = b"x" * 70
    found = check_storage.bucket(bucket(storage), Settings())
    assert (found.good, "70 bytes" in found.said, len(storage.objects)) == (True, True, 1)


def test_a_bucket_that_cannot_be_written_to_is_bad(storage: S3Simulator) -> None:
    storage.writable = False
    found = check_storage.bucket(bucket(storage), Settings())
    assert (found.good, "AccessDenied" in found.said, SECRET in found.said) == (False, True, False)


def test_a_bucket_that_knows_no_ranges_is_bad_and_left_as_it_was(storage: S3Simulator) -> None:
    storage.ranges = False
    found = check_storage.bucket(bucket(storage), Settings())
    assert (found.good, "knows no ranges" in found.said, storage.objects) == (False, True, {})


def test_the_command_tests_the_bucket_unless_it_is_asked_for_a_catalogue(
    storage: S3Simulator, archive: CdseSimulator
) -> None:
    environment = {
        "STACBRIDGE_ENDPOINTS__CDSE__CATALOGUE": archive.catalogue_url,
        "STACBRIDGE_SPOOL_BUCKET__ENDPOINT": storage.url,
        "STACBRIDGE_SPOOL_BUCKET__NAME": "bucket",
        "STACBRIDGE_SPOOL_BUCKET__REGION": REGION,
        "STACBRIDGE_SPOOL_BUCKET__KEY": ACCESS,
        "STACBRIDGE_SPOOL_BUCKET__SECRET": SECRET,
    }
    good = CliRunner().invoke(main, ["check"], env=environment)
    wrong = CliRunner().invoke(main, ["check"], env={**environment, "STACBRIDGE_SPOOL_BUCKET__SECRET": "x"})
    assert (good.exit_code, wrong.exit_code) == (0, 1)
    assert good.output.splitlines()[-1].startswith("ok   spool  bucket")
    assert "SignatureDoesNotMatch" in wrong.output
