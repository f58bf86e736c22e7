import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stacbridge.commands.part import Part
from stacbridge.commands.transfer import Fetcher, Transfer
from stacbridge.errors import StacbridgeError
from tests.cli.fileserver import Answer, FileServer, Served

DATA = bytes(range(256)) * 40
MD5 = "d50110" + hashlib.md5(DATA).hexdigest()
SHA256 = "1220" + hashlib.sha256(DATA).hexdigest()


@dataclass
class Notes:
    """A watcher that writes down what it is told."""

    starts: list[tuple[int, int | None]] = field(default_factory=list)
    arrived: int = 0
    waits: list[int] = field(default_factory=list)

    def started(self, offset: int, total: int | None) -> None:
        self.starts.append((offset, total))

    def advanced(self, count: int) -> None:
        self.arrived += count

    def waiting(self, seconds: int, reason: str) -> None:
        self.waits.append(seconds)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def fetcher(pauses: list[float]) -> Iterator[Fetcher]:
    with requests.Session() as session:
        yield Fetcher(session, retries=2, longest_wait=60, pause=pauses.append)


def only_file(folder: Path) -> bytes:
    (file,) = folder.iterdir()
    return file.read_bytes()


def test_a_file_arrives_whole_and_nothing_else_is_left(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    href = files.serve("/a.bin", Served(DATA))
    notes = Notes()
    remark = fetcher.fetch(Transfer(href, tmp_path / "a.bin", len(DATA), MD5), notes)
    assert remark is None
    assert only_file(tmp_path) == DATA
    assert (notes.starts, notes.arrived) == ([(0, len(DATA))], len(DATA))


def test_a_cut_download_goes_on_where_it_stopped(files: FileServer, fetcher: Fetcher, tmp_path: Path) -> None:
    href = files.serve("/a.bin", Served(DATA, cuts=[1000, 500]))
    notes = Notes()
    fetcher.fetch(Transfer(href, tmp_path / "a.bin", len(DATA), SHA256), notes)
    assert only_file(tmp_path) == DATA
    assert files.ranges_asked() == [None, "bytes=1000-", "bytes=1500-"]
    assert notes.arrived == len(DATA), "no byte is transferred twice"


def test_a_download_interrupted_for_good_is_resumed_by_the_next_run(
    files: FileServer, tmp_path: Path
) -> None:
    href = files.serve("/a.bin", Served(DATA, cuts=[1000]))
    transfer = Transfer(href, tmp_path / "a.bin", len(DATA), MD5)
    with requests.Session() as session:
        with pytest.raises(StacbridgeError):
            Fetcher(session, retries=-1).fetch(transfer, Notes())
        assert Part(transfer.path).size == 1000
        assert not transfer.path.exists()
        Fetcher(session, retries=0).fetch(transfer, Notes())
    assert only_file(tmp_path) == DATA
    assert files.ranges_asked() == [None, "bytes=1000-"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(1, 3000), max_size=6), honours_ranges=st.booleans())
def test_however_often_a_download_is_cut_the_file_is_the_same(
    files: FileServer, tmp_path: Path, cuts: list[int], honours_ranges: bool
) -> None:
    href = files.serve("/a.bin", Served(DATA, cuts=cuts, ranges=honours_ranges))
    with requests.Session() as session:
        fetcher = Fetcher(session, retries=len(cuts), pause=lambda _: None)
        fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())
    assert only_file(tmp_path) == DATA


def test_another_version_of_the_file_is_never_spliced_to_the_first(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    served = Served(b"old" * 1000, cuts=[1000])
    transfer = Transfer(files.serve("/a.bin", served), tmp_path / "a.bin")
    fetcher.retries = -1
    with pytest.raises(StacbridgeError):
        fetcher.fetch(transfer, Notes())
    served.data, served.etag = b"new" * 2000, '"v2"'
    fetcher.fetch(transfer, Notes())
    assert only_file(tmp_path) == b"new" * 2000
    assert files.requests[-1][1]["If-Range"] == '"v1"'


def test_a_partial_answer_of_another_version_is_thrown_away(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    transfer = Transfer(files.url + "/a.bin", tmp_path / "a.bin")
    with Part(transfer.path).begin('"v1"') as part:
        part.write(b"old!")
    ignores_if_range = (206, {"Content-Range": "bytes 4-7/8", "ETag": '"v2"'}, b"new!")
    files.serve("/a.bin", Served(b"new!new!", etag='"v2"', first=[ignores_if_range]))
    fetcher.fetch(transfer, Notes())
    assert only_file(tmp_path) == b"new!new!"


def test_a_partial_answer_that_starts_elsewhere_is_thrown_away(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    transfer = Transfer(files.url + "/a.bin", tmp_path / "a.bin")
    with Part(transfer.path).begin('"v1"') as part:
        part.write(DATA[:1000])
    elsewhere = (206, {"Content-Range": f"bytes 10-{len(DATA) - 1}/{len(DATA)}", "ETag": '"v1"'}, DATA[10:])
    files.serve("/a.bin", Served(DATA, first=[elsewhere]))
    fetcher.fetch(transfer, Notes())
    assert only_file(tmp_path) == DATA


def test_without_a_validator_a_cut_download_starts_again(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    href = files.serve("/a.bin", Served(DATA, etag=None, cuts=[1000]))
    fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())
    assert only_file(tmp_path) == DATA
    assert files.ranges_asked() == [None, None]


def test_a_part_that_is_already_whole_costs_no_bytes(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    transfer = Transfer(files.serve("/a.bin", Served(DATA)), tmp_path / "a.bin")
    with Part(transfer.path).begin('"v1"') as part:
        part.write(DATA)
    notes = Notes()
    fetcher.fetch(transfer, notes)
    assert only_file(tmp_path) == DATA
    assert notes.arrived == 0


def test_a_part_longer_than_the_file_is_thrown_away(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    transfer = Transfer(files.serve("/a.bin", Served(b"short")), tmp_path / "a.bin")
    with Part(transfer.path).begin('"v1"') as part:
        part.write(DATA)
    fetcher.fetch(transfer, Notes())
    assert only_file(tmp_path) == b"short"


@pytest.mark.parametrize("checksum", ["d50110" + "0" * 32, "1220" + "0" * 64])
def test_a_file_with_another_checksum_is_deleted_and_fails(
    files: FileServer, fetcher: Fetcher, tmp_path: Path, checksum: str
) -> None:
    href = files.serve("/a.bin", Served(DATA))
    with pytest.raises(StacbridgeError, match="checksum is not the one"):
        fetcher.fetch(Transfer(href, tmp_path / "a.bin", len(DATA), checksum), Notes())
    assert list(tmp_path.iterdir()) == []


def test_a_checksum_of_an_unknown_kind_is_said_to_be_unverified(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    href = files.serve("/a.bin", Served(DATA))
    remark = fetcher.fetch(Transfer(href, tmp_path / "a.bin", len(DATA), "eeee01" + "00"), Notes())
    assert remark is not None and "not verified" in remark
    assert only_file(tmp_path) == DATA


def test_a_file_of_another_size_is_refused_before_its_bytes_come(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    notes = Notes()
    with pytest.raises(StacbridgeError, match=f"has {len(DATA)} bytes, but the item states 7"):
        fetcher.fetch(Transfer(files.serve("/a.bin", Served(DATA)), tmp_path / "a.bin", 7), notes)
    assert (notes.arrived, list(tmp_path.iterdir())) == (0, [])


def test_a_body_without_length_is_checked_against_the_stated_size(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    href = files.serve("/a.bin", Served(DATA, states_length=False))
    with pytest.raises(StacbridgeError, match="the item states 7"):
        fetcher.fetch(Transfer(href, tmp_path / "a.bin", 7), Notes())
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_waited_for_as_long_as_it_says(
    files: FileServer, fetcher: Fetcher, pauses: list[float], tmp_path: Path
) -> None:
    busy = (503, {"Retry-After": "3"}, b'{"description": "All connections are taken."}')
    href = files.serve("/a.bin", Served(DATA, first=[busy]))
    notes = Notes()
    fetcher.fetch(Transfer(href, tmp_path / "a.bin"), notes)
    assert notes.waits == [3, 2, 1]
    assert pauses == [1, 1, 1]


@pytest.mark.parametrize(("code", "status"), [("LoginRefused", 503), ("UpstreamRefused", 502)])
def test_what_only_a_person_can_end_is_not_waited_for(
    files: FileServer, fetcher: Fetcher, pauses: list[float], tmp_path: Path, code: str, status: int
) -> None:
    body = orjson.dumps({"code": code, "description": "The upstream refuses the account."})
    href = files.serve("/a.bin", Served(DATA, first=[(status, {"Retry-After": "9"}, body)] * 9))
    with pytest.raises(StacbridgeError, match="refuses the account"):
        fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())
    assert (len(files.requests), pauses) == (1, [])


def test_an_absurd_wait_is_refused_with_the_time_to_come_back(
    files: FileServer, fetcher: Fetcher, pauses: list[float], tmp_path: Path
) -> None:
    href = files.serve("/a.bin", Served(DATA, first=[(503, {"Retry-After": "1000000000"}, b"")]))
    with pytest.raises(StacbridgeError, match="come back in 1000000000 s"):
        fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())
    assert pauses == []


@pytest.mark.parametrize("stated", ["9" * 5000, "\u00b2", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_that_cannot_be_read_as_seconds_is_a_failure_or_a_short_wait(
    files: FileServer, fetcher: Fetcher, tmp_path: Path, stated: str
) -> None:
    href = files.serve("/a.bin", Served(DATA, first=[(503, {"Retry-After": stated}, b"")] * 9))
    with pytest.raises(StacbridgeError, match=r"refused|come back"):
        fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())


def test_a_signature_in_an_href_is_never_shown(files: FileServer, fetcher: Fetcher, tmp_path: Path) -> None:
    href = files.serve("/a.bin?signature=hunter2", Served(DATA, first=[(403, {}, b"no")]))
    with pytest.raises(StacbridgeError) as caught:
        fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.asked}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 503])
def test_a_refusal_is_told_in_the_servers_words_and_not_repeated(
    files: FileServer, fetcher: Fetcher, tmp_path: Path, status: int
) -> None:
    refusal: Answer = (
        status,
        {},
        b'{"code": "X", "description": "Set STACBRIDGE_CREDENTIALS__CDSE__USERNAME."}',
    )
    href = files.serve("/a.bin", Served(DATA, first=[refusal]))
    with pytest.raises(StacbridgeError, match="STACBRIDGE_CREDENTIALS__CDSE__USERNAME"):
        fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())
    assert len(files.requests) == 1


def test_a_server_that_keeps_failing_is_given_up(
    files: FileServer, fetcher: Fetcher, pauses: list[float], tmp_path: Path
) -> None:
    href = files.serve("/a.bin", Served(DATA, first=[(502, {}, b"<html>bad gateway</html>")] * 9))
    with pytest.raises(StacbridgeError, match="502 <html>bad gateway"):
        fetcher.fetch(Transfer(href, tmp_path / "a.bin"), Notes())
    assert len(files.requests) == 3
    assert len(pauses) == 2 + 4, "the waits between attempts double"


def test_a_server_that_is_not_there_is_named(fetcher: Fetcher, tmp_path: Path) -> None:
    with pytest.raises(StacbridgeError, match="cannot be reached") as caught:
        fetcher.fetch(Transfer("http://127.0.0.1:1/a.bin", tmp_path / "a.bin"), Notes())
    assert caught.value.asked == "http://127.0.0.1:1/a.bin"


def test_a_folder_that_cannot_be_written_is_named(
    files: FileServer, fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    transfer = Transfer(files.serve("/a.bin", Served(DATA)), tmp_path / "file" / "a.bin")
    with pytest.raises(StacbridgeError, match="cannot be written"):
        fetcher.fetch(transfer, Notes())
