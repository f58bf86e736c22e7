"""Whole files of the spool in a bucket, which any number of bridges share. Below the prefix of the settings:

    <key>.<version>         the file
    <key>.<version>.json    its record: written when the file is whole, and again now and then when it is used

A file without a record is not there yet, or is left over. No object changes its bytes, so that nobody removes
what another bridge has just written anew. The time of a record tells when its file was last used, by the
storage's clock.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from os import fstat
from pathlib import Path
from typing import Self

import orjson

from stacbridge.bucket import Bucket
from stacbridge.download.delivery import disposition
from stacbridge.download.objects import Listed, Listing, Objects
from stacbridge.download.uploads import upload
from stacbridge.errors import UpstreamError
from stacbridge.model import Json
from stacbridge.wire.remembered import Remembered

RECORD = ".json"
FRESH = 60.0
"""Seconds that a file is taken to be there still: readers of parts ask many times."""
REMEMBERED = 10_000
LEFT_OVER = 3600.0
"""Seconds after which half of a pair of objects is nobody's who is about to write the other half."""
ABANDONED = 86400.0
"""Seconds after which an upload in parts is taken to be nobody's any more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Label:
    """What the record of a file says: `owner` is whose it is, `checksum` a multihash."""

    key: str
    version: str
    owner: str
    file: str
    media_type: str
    size: int = 0
    checksum: str = ""

    @property
    def name(self) -> str:
        """The name of its object."""
        return f"{self.key}.{self.version}"

    def document(self) -> bytes:
        """Return its record."""
        return orjson.dumps({member: getattr(self, member) for member in RECORDED})

    @classmethod
    def read(cls, name: str, document: bytes) -> Self | None:
        """Return what a record says; None for one that nobody can have written."""
        key, _, version = name.partition(".")
        try:
            told = orjson.loads(document)
            texts = {member: str(told[member]) for member in RECORDED if member != "size"}
            return cls(key, version, size=int(told["size"]), **texts)
        except (KeyError, TypeError, ValueError):
            return None


RECORDED = ("owner", "file", "media_type", "size", "checksum")


@dataclass(slots=True)
class _Pair:
    """A file and its record, as they are listed."""

    name: str
    file: Listed | None = None
    record: Listed | None = None

    @property
    def is_whole(self) -> bool:
        return self.file is not None and self.record is not None

    @property
    def bytes(self) -> int:
        return sum(each.size for each in (self.file, self.record) if each is not None)

    def is_over(self, now: float, seconds: float) -> bool:
        """Tell whether it has been there for `seconds`, or is half of a pair and left over."""
        if self.file is not None and self.record is not None:
            return now - self.file.modified > seconds
        return all(now - each.modified > LEFT_OVER for each in (self.file, self.record) if each is not None)


class Depot:
    """The files in the bucket. Methods block, and may be called from any thread.

    `quick` objects are for what a client waits for, `patient` ones for all else.
    """

    def __init__(self, bucket: Bucket, quick: Objects, patient: Objects) -> None:
        self._most = bucket.most_bytes
        self._seconds = bucket.seconds
        self._quick = quick
        self._patient = patient
        self._found: Remembered[Label | None] = Remembered(
            FRESH, REMEMBERED, keep=lambda found: found is not None
        )
        self._held = (0, 0)

    def find(self, key: str, owner: str) -> Label | None:
        """Return the file of `owner` under `key`; None without one, and where the bucket does not answer."""
        try:
            found = self._found.get(key, partial(self._look, self._quick, key))
        except UpstreamError:
            return None
        if found is not None and found.owner != owner:
            log.error("The bucket of the spool has a file under %s that is another's.", key)
            return None
        return found

    def url(self, label: Label) -> str:
        """Return the URL of a file."""
        return self._quick.url(label.name)

    def is_there(self, label: Label) -> bool:
        """Tell whether a file's object still is what its record says. Raises as `S3` does."""
        return self._quick.size(label.name) == label.size

    def use(self, label: Label, path: Path | None, going: Callable[[], bool]) -> None:
        """Note that a file is used: it is kept longer, or put there from `path` if it is not there.

        Raises as `S3` does, `Stopped` where it is not `going` on, and `UpstreamError` without room.
        """
        found = self._look(self._patient, label.key)
        if found is not None:
            self._patient.write(found.name + RECORD, found.document())
        elif path is not None and path.exists():
            self._keep(label, path, going)

    def drop(self, label: Label) -> None:
        """Remove a file that is not what its record says. Raises as `S3` does."""
        self._found.forget(label.key)
        self._remove(label.name)

    def make_room(self, size: int = 0) -> bool:
        """Remove what is too old, and what was not used for the longest time until `size` bytes more fit.

        Tell whether they do. What is being written by others counts, and is left alone.
        """
        listing = self._patient.list()
        kept = []
        for pair in sorted(_pairs(listing), key=_used, reverse=True):
            if pair.is_over(listing.now, self._seconds):
                self._evict(pair)
            else:
                kept.append(pair)
        taken, idle = sum(pair.bytes for pair in kept), [pair for pair in kept if pair.is_whole]
        while idle and size <= self._most < taken + size:
            kept.remove(idle[-1])
            taken -= idle[-1].bytes
            self._evict(idle.pop())
        self._held = (len(kept), taken)
        return taken + size <= self._most

    def tidy(self, unfinished: frozenset[str] = frozenset()) -> None:
        """Give up the uploads of the files named so, which nobody goes on with, and those of long ago."""
        listing = self._patient.uploads()
        for each in listing.found:
            if each.name in unfinished or listing.now - each.modified > ABANDONED:
                log.info("An upload of %s to the bucket of the spool was left unfinished.", each.name)
                self._patient.abort(each.name, each.upload)

    def standing(self) -> Json:
        """Return how many files and bytes there were when that was last looked at."""
        files, held = self._held
        return {"files": files, "bytes": held, "most_bytes": self._most}

    def _look(self, objects: Objects, key: str) -> Label | None:
        pairs = filter(lambda pair: pair.is_whole, _pairs(objects.list(f"{key}.")))
        for pair in sorted(pairs, key=_used, reverse=True):
            document = objects.read(pair.name + RECORD)
            label = None if document is None else Label.read(pair.name, document)
            if label is not None and pair.file is not None and label.size == pair.file.size:
                return label
        return None

    def _keep(self, label: Label, path: Path, going: Callable[[], bool]) -> None:
        with path.open("rb") as file:
            size = fstat(file.fileno()).st_size
            if not self.make_room(size):
                raise UpstreamError(f"The bucket of the spool has no room for {size} bytes: {label.file}.")
            headers = {"content-type": label.media_type, "content-disposition": disposition(label.file)}
            checksum = upload(self._patient, label.name, file, size, headers, going)
        whole = Label(label.key, label.version, label.owner, label.file, label.media_type, size, checksum)
        self._patient.write(whole.name + RECORD, whole.document())
        files, held = self._held
        self._held = (files + 1, held + size)

    def _evict(self, pair: _Pair) -> None:
        self._found.forget(pair.name.partition(".")[0])
        self._remove(pair.name)

    def _remove(self, name: str) -> None:
        """Remove a record and then its file, so that nobody finds the one without the other."""
        self._patient.delete(name + RECORD)
        self._patient.delete(name)


def _pairs(listing: Listing) -> list[_Pair]:
    pairs: dict[str, _Pair] = {}
    for each in listing.found:
        name = each.name.removesuffix(RECORD)
        pair = pairs.setdefault(name, _Pair(name))
        if name == each.name:
            pair.file = each
        else:
            pair.record = each
    return list(pairs.values())


def _used(pair: _Pair) -> float:
    return 0.0 if pair.record is None else pair.record.modified
