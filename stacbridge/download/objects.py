"""Objects in a bucket of S3-compatible storage, below one prefix: small ones whole, large ones in parts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from stacbridge.download.s3 import CODE, S3, UPSTREAM, refusal
from stacbridge.errors import UpstreamError
from stacbridge.model import Reply
from stacbridge.wire import xml

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Listed:
    """An object, or an `upload` of one in parts, as the storage lists it; `modified` is Unix time."""

    name: str
    modified: float
    size: int = 0
    upload: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is, and the Unix time at the storage when it said so."""

    found: list[Listed]
    now: float


class Objects:
    """The objects whose names begin with `prefix`, left out here. Methods block, and raise as `S3` does."""

    def __init__(self, s3: S3, prefix: str) -> None:
        self._s3 = s3
        self._prefix = prefix

    def url(self, name: str, query: Pairs = ()) -> str:
        """Return the URL of an object."""
        return self._s3.url(self._prefix + name, query)

    def read(self, name: str) -> bytes | None:
        """Return a small object; None where there is none."""
        reply = self._s3.ask("GET", self.url(name), missing=True)
        return reply.body if reply.status == 200 else None

    def write(self, name: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Write an object whole; `headers` (lower case) are what its readers are told."""
        self._s3.ask("PUT", self.url(name), body=body, headers=headers)

    def size(self, name: str) -> int | None:
        """Return how many bytes an object has; None where there is none."""
        reply = self._s3.ask("HEAD", self.url(name), missing=True)
        return int(reply.headers.get("content-length", "0")) if reply.status == 200 else None

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""
        self._s3.ask("DELETE", self.url(name), missing=True)

    def list(self, beginning: str = "") -> Listing:
        """Return all objects whose names begin so."""
        pages = self._pages(
            [("list-type", "2"), ("prefix", self._prefix + beginning)],
            [("continuation-token", "NextContinuationToken")],
        )
        return self._listing(pages, "Contents", "LastModified")

    def uploads(self) -> Listing:
        """Return all uploads in parts that have begun and not ended; some storages have 404 for none."""
        pages = self._pages(
            [("uploads", ""), ("prefix", self._prefix)],
            [("key-marker", "NextKeyMarker"), ("upload-id-marker", "NextUploadIdMarker")],
            missing=True,
        )
        return self._listing(pages, "Upload", "Initiated")

    def begin(self, name: str, headers: Mapping[str, str]) -> str:
        """Begin an upload in parts, and return its id."""
        reply = self._s3.ask("POST", self.url(name, [("uploads", "")]), headers=headers)
        upload = _texts(xml.parse(reply, UPSTREAM)).get("UploadId")
        if not upload:
            raise refusal("file in parts", reply)
        return upload

    def part(self, name: str, upload: str, number: int, body: bytes) -> str:
        """Write a part (numbers begin with 1), and return its ETag."""
        url = self.url(name, [("partNumber", str(number)), ("uploadId", upload)])
        return self._s3.ask("PUT", url, body=body).headers.get("etag", "")

    def complete(self, name: str, upload: str, etags: Sequence[str]) -> None:
        """Make the object of its parts. A failure of that may come with status 200."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            for number, etag in enumerate(etags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        reply = self._s3.ask("POST", self.url(name, [("uploadId", upload)]), body=body)
        if CODE.search(reply.body):
            raise refusal("file in parts", reply)

    def abort(self, name: str, upload: str) -> None:
        """Give up an upload, and the room of its parts."""
        self._s3.ask("DELETE", self.url(name, [("uploadId", upload)]), missing=True)

    def _pages(
        self, query: Pairs, markers: Pairs, missing: bool = False
    ) -> Iterator[tuple[xml.Element, Reply]]:
        """Yield the pages of a list; `markers` are what to ask for next, and the elements that tell it."""
        more: Pairs = []
        while True:
            reply = self._s3.ask("GET", self._s3.url(query=[*query, *more]), missing=missing)
            if reply.status == 404:
                return
            root = xml.parse(reply, UPSTREAM)
            yield root, reply
            told = _texts(root)
            if told.get("IsTruncated") != "true":
                return
            following = [(asked, told[name]) for asked, name in markers if told.get(name)]
            if not following or following == more:
                raise UpstreamError("The bucket of the spool lists without end.", upstream=UPSTREAM)
            more = following

    def _listing(self, pages: Iterator[tuple[xml.Element, Reply]], member: str, moment: str) -> Listing:
        found, now = [], self._s3.now()
        for root, reply in pages:
            now = _date(reply, now)
            found += [self._listed(_texts(each), moment) for each in root if xml.name(each)[1] == member]
        return Listing(found, now)

    def _listed(self, told: Mapping[str, str], moment: str) -> Listed:
        try:
            return Listed(
                told["Key"].removeprefix(self._prefix),
                datetime.fromisoformat(told[moment]).replace(tzinfo=UTC).timestamp(),
                int(told.get("Size", "0")),
                told.get("UploadId", ""),
            )
        except (KeyError, ValueError):
            raise UpstreamError(
                "The bucket of the spool lists its objects in an unknown way.", upstream=UPSTREAM
            ) from None


def _texts(element: xml.Element) -> dict[str, str]:
    """Return the texts of an element's children, by local name."""
    return {xml.name(child)[1]: xml.text(child) for child in element}


def _date(reply: Reply, otherwise: float) -> float:
    try:
        return parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return otherwise
