"""Fetch one file over HTTP: resumed where the server can, whole and verified before it gets its name."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import requests
import urllib3

from stacbridge.commands.checksum import matches
from stacbridge.commands.names import without_query
from stacbridge.commands.part import Part
from stacbridge.commands.replies import READ, member, refusal
from stacbridge.errors import StacbridgeError

CHUNK = 1 << 20
CONNECT_TIMEOUT = 10
# A bridge may hold a download in line for `download_wait` (300 s unless set) before the first byte.
READ_TIMEOUT = 330
BACKOFF_MAX = 30
# Digits of a Retry-After that are read; more are as absurd as these.
DIGITS = 12

PASSING = {502, 504}
BUSY = {429, 503}
# Codes of failures that only a person can end, whatever else the answer says.
FINAL = {"LoginRefused", "UpstreamRefused"}


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file to fetch. `size` in bytes and `checksum` (multihash, hexadecimal) where the item states them."""

    href: str
    path: Path
    size: int | None = None
    checksum: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the file is there, with the stated size. A file gets its name only once it is whole."""
        return self.path.is_file() and self.size in (None, self.path.stat().st_size)


class Watcher(Protocol):
    """Who is told how a transfer goes."""

    def started(self, offset: int, total: int | None) -> None:
        """Bytes will come from `offset` of `total`."""
        ...

    def advanced(self, count: int) -> None:
        """`count` more bytes have arrived."""
        ...

    def waiting(self, seconds: int, reason: str) -> None:
        """The next attempt starts in `seconds`."""
        ...


class _Broken(Exception):
    """An attempt failed in a way that may pass; `after` is the wait in seconds that the server asked for."""

    def __init__(self, error: StacbridgeError, after: int | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after


@dataclass(slots=True)
class Fetcher:
    """Fetches files, each with at most `retries` attempts in a row that bring nothing new.

    `longest_wait` is the longest Retry-After, in seconds, that is waited for. `pause` sleeps.
    """

    session: requests.Session = field(default_factory=requests.Session)
    retries: int = 5
    longest_wait: int = 900
    pause: Callable[[float], None] = time.sleep

    def fetch(self, transfer: Transfer, watch: Watcher) -> str | None:
        """Fetch a file; return a remark where its checksum could not be verified.

        Raises `StacbridgeError` where the file cannot be had; what has arrived stays for the next time,
        unless it is wrong.
        """
        part = Part(transfer.path)
        try:
            self._persist(transfer, part, watch)
            remark = _verify(transfer, part)
            part.complete()
        except OSError as error:
            raise StacbridgeError(f"{transfer.path} cannot be written: {error.strerror}.") from error
        return remark

    def _persist(self, transfer: Transfer, part: Part, watch: Watcher) -> None:
        failures, furthest = 0, part.size
        whole = bool(part.size) and part.size == transfer.size
        while not whole:
            try:
                self._attempt(transfer, part, watch)
                whole = True
            except _Broken as broken:
                failures = 0 if part.size > furthest else failures + 1
                furthest = max(furthest, part.size)
                if failures > self.retries:
                    raise broken.error from None
                self._wait(broken, failures, watch)

    def _wait(self, broken: _Broken, failures: int, watch: Watcher) -> None:
        seconds = min(2**failures, BACKOFF_MAX) if broken.after is None else broken.after
        if seconds > self.longest_wait:
            broken.error.advice = f"It asks to come back in {seconds} s; run the same command again then."
            raise broken.error from None
        for left in range(seconds, 0, -1):
            watch.waiting(left, str(broken))
            self.pause(1)

    def _attempt(self, transfer: Transfer, part: Part, watch: Watcher) -> None:
        offset, validator = part.size, part.validator
        headers = {"Accept-Encoding": "identity"}
        if offset and validator:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator}
        with self._get(transfer.href, headers) as response:
            if _ends_at(response, offset):
                return
            _raise_for_refusal(response, part)
            start = _continued_at(response, part)
            total = _total(response, start)
            _check_size(total, transfer)
            watch.started(start, total or transfer.size)
            with part.resume() if start else part.begin(_validator(response)) as file:
                for chunk in _body(response):
                    file.write(chunk)
                    watch.advanced(len(chunk))
            if total not in (None, part.size):
                raise _Broken(
                    StacbridgeError("The body ended early.", answered=f"{part.size} of {total} bytes.")
                )

    def _get(self, href: str, headers: dict[str, str]) -> requests.Response:
        timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
        try:
            return self.session.get(href, headers=headers, stream=True, timeout=timeout)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _Broken(
                StacbridgeError("The server cannot be reached.", asked=without_query(href))
            ) from error
        except requests.RequestException as error:
            raise StacbridgeError("This cannot be requested.", asked=without_query(href)) from error


def _body(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.raw.stream(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, ConnectionError) as error:
        raise _Broken(StacbridgeError("The connection broke.", asked=without_query(response.url))) from error


def _raise_for_refusal(response: requests.Response, part: Part) -> None:
    status = response.status_code
    if status in (requests.codes.ok, requests.codes.partial):
        return
    body = response.raw.read(READ, decode_content=True)
    error = refusal(status, body, without_query(response.url))
    after = response.headers.get("Retry-After", "")
    if status == requests.codes.requested_range_not_satisfiable:
        part.discard()
        raise _Broken(error, after=0)
    passing = status in PASSING or (status in BUSY and after)
    if passing and member(body, "code") not in FINAL:
        raise _Broken(error, after=int(after[:DIGITS]) if after.isdecimal() else None)
    raise error


def _ends_at(response: requests.Response, offset: int) -> bool:
    """Tell whether the server says that the resource ends where the part ends."""
    unsatisfied = response.status_code == requests.codes.requested_range_not_satisfiable
    return unsatisfied and response.headers.get("Content-Range") == f"bytes */{offset}"


def _continued_at(response: requests.Response, part: Part) -> int:
    """Return where the body starts; a partial one must go on where the part ends, in the same version."""
    if response.status_code == requests.codes.ok:
        return 0
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    same = _validator(response) in (None, part.validator)
    if start is None or int(start[1]) != part.size or not same:
        part.discard()
        raise _Broken(
            StacbridgeError("The server sent another range than asked.", asked=without_query(response.url)),
            after=0,
        )
    return part.size


def _validator(response: requests.Response) -> str | None:
    """Return what If-Range may name: a strong ETag, else Last-Modified (RFC 9110, 13.1.5)."""
    etag = response.headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    return strong or response.headers.get("Last-Modified")


def _total(response: requests.Response, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _check_size(size: int | None, transfer: Transfer) -> None:
    if size is not None and transfer.size is not None and size != transfer.size:
        raise StacbridgeError(
            f"The file has {size} bytes, but the item states {transfer.size}.", asked=transfer.href
        )


def _verify(transfer: Transfer, part: Part) -> str | None:
    try:
        _check_size(part.size, transfer)
    except StacbridgeError:
        part.discard()
        raise
    if transfer.checksum is None:
        return None
    same = matches(part.path, transfer.checksum)
    if same is False:
        part.discard()
        wrong = f"The file's checksum is not the one that the item states ({transfer.checksum})."
        raise StacbridgeError(wrong, advice="It was deleted; download it again.")
    return None if same else f"checksum not verified: no {transfer.checksum[:4]}… multihash here"
