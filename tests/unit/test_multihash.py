"""Checksums as multihashes: each hash that catalogues state, and one whose package is missing."""

import hashlib
import logging

import pytest
from blake3 import blake3

from stacbridge.convert import CONVERTERS
from stacbridge.download.multihash import Checksum, found

CONTENT = b"a file"
STATED = {
    "d50110": hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
    "1220": hashlib.sha256(CONTENT).hexdigest(),
    "1620": hashlib.sha3_256(CONTENT).hexdigest(),
    "1e20": blake3(CONTENT).hexdigest(),
}


@pytest.mark.parametrize("prefix", STATED)
def test_a_file_is_held_against_the_hash_that_is_stated(prefix: str) -> None:
    good, bad = (Checksum.of(f"{prefix}{STATED[prefix]}".upper()) for _ in range(2))
    assert good is not None and bad is not None
    good.update(CONTENT)
    bad.update(CONTENT + b"!")
    assert (good.matches(), bad.matches()) == (True, False)


def test_blake3_is_that_of_its_specification() -> None:
    empty = Checksum.of("1e20af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")
    assert empty is not None and empty.matches()


def test_a_hash_that_is_unknown_cannot_be_checked() -> None:
    assert Checksum.of("ff00aa") is None


def test_a_missing_package_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert found("no_such_hash") is None
    assert "install stacbridge[no_such_hash]" in caplog.text


def test_of_several_checksums_one_is_taken_that_can_be_checked_everywhere() -> None:
    both = [{"Algorithm": "BLAKE3", "Value": "b" * 64}, {"Algorithm": "MD5", "Value": "a" * 32}]
    read = CONVERTERS["checksum"].read
    assert (read(both), read(both[:1])) == ("d50110" + "a" * 32, "1e20" + "b" * 64)
