"""What S3-compatible storage does beside giving objects: takes, lists and removes them, also in parts."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from time import gmtime, strftime
from xml.sax.saxutils import escape

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
SMALLEST = 5 * 1024 * 1024
"""Bytes that each part but the last must have."""
KEPT_HEADERS = ("content-type", "content-disposition")
PART = re.compile(r"<PartNumber>(\d+)</PartNumber>\s*<ETag>\"?([0-9a-f]{32})\"?</ETag>")

Query = Mapping[str, str]
Headers = dict[str, str]
Answer = tuple[int, bytes, Headers]
Time = Callable[[], float]


class Refused(Exception):
    """A request that is answered with an error document: status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Upload:
    """An upload in parts that has begun: the object's path and headers, and parts by number."""

    path: str
    begun: float
    headers: Headers
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Shelf:
    """Objects by path, the bucket first, with what was told about them, and uploads by id.

    `most` bounds the bytes of all; `page` is how many a list tells at once.
    """

    objects: dict[str, bytes]
    clock: Time
    most: int | None = None
    page: int = 1000
    headers: dict[str, Headers] = field(default_factory=dict)
    modified: dict[str, float] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    begun: int = 0
    lock: Lock = field(default_factory=Lock)

    def put(self, path: str, query: Query, headers: Headers, body: bytes) -> Answer:
        """Take an object, or a part of one."""
        parts = sum(len(part) for upload in self.uploads.values() for part in upload.parts.values())
        held = sum(map(len, self.objects.values())) + parts
        if self.most is not None and held + len(body) > self.most:
            raise Refused(403, "QuotaExceeded")
        if "uploadId" in query:
            self._upload(query).parts[int(query["partNumber"])] = body
        else:
            self._write(path, body, _kept(headers))
        return 200, b"", {"ETag": etag(body)}

    def post(self, path: str, query: Query, headers: Headers, body: bytes) -> Answer:
        """Begin an upload in parts, or put its parts together."""
        if "uploads" in query:
            self.begun += 1
            id = f"upload~{self.begun}"
            self.uploads[id] = Upload(path, self.clock(), _kept(headers))
            return _document("InitiateMultipartUploadResult", f"<UploadId>{id}</UploadId>")
        upload = self._upload(query)
        named = [(int(number), told) for number, told in PART.findall(body.decode())]
        parts = [upload.parts.get(number, b"") for number, _ in named]
        if not parts or [f'"{told}"' for _, told in named] != [etag(part) for part in parts]:
            raise Refused(400, "InvalidPart")
        if any(len(part) < SMALLEST for part in parts[:-1]):
            raise Refused(400, "EntityTooSmall")
        del self.uploads[query["uploadId"]]
        self._write(path, b"".join(parts), upload.headers)
        return _document("CompleteMultipartUploadResult", f"<Key>{escape(path)}</Key>")

    def delete(self, path: str, query: Query) -> Answer:
        """Remove an object, or give up an upload; what is not there is gone all the same."""
        if "uploadId" in query:
            self._upload(query)
            del self.uploads[query["uploadId"]]
        else:
            self.objects.pop(path, None)
        return 204, b"", {}

    def buckets(self) -> Answer:
        """List the buckets."""
        names = sorted({path.split("/")[1] for path in self.objects})
        listed = "".join(f"<Bucket><Name>{escape(name)}</Name></Bucket>" for name in names)
        return _document("ListAllMyBucketsResult", f"<Buckets>{listed}</Buckets>")

    def list(self, bucket: str, query: Query) -> Answer:
        """List a bucket's objects, or its uploads in parts."""
        if "uploads" in query:
            return self._list_uploads(bucket, query)
        names = sorted(path.removeprefix(bucket) for path in self.objects if path.startswith(bucket))
        after = query.get("continuation-token", "")
        names = [name for name in names if name.startswith(query.get("prefix", "")) and name > after]
        page, more = names[: self.page], len(names) > self.page
        listed = "".join(self._entry(bucket, name) for name in page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return _document("ListBucketResult", f"{_truncated(more)}{token}{listed}")

    def _list_uploads(self, bucket: str, query: Query) -> Answer:
        marker = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
        found = sorted(
            (upload.path.removeprefix(bucket), id)
            for id, upload in self.uploads.items()
            if upload.path.startswith(bucket + query.get("prefix", ""))
        )
        found = [each for each in found if each > marker]
        page, more = found[: self.page], len(found) > self.page
        listed = "".join(
            f"<Upload><Key>{escape(name)}</Key><UploadId>{id}</UploadId>"
            f"<Initiated>{_moment(self.uploads[id].begun)}</Initiated></Upload>"
            for name, id in page
        )
        names = ("NextKeyMarker", "NextUploadIdMarker")
        tokens = (
            "".join(f"<{n}>{escape(v)}</{n}>" for n, v in zip(names, page[-1], strict=True)) if more else ""
        )
        return _document("ListMultipartUploadsResult", f"{_truncated(more)}{tokens}{listed}")

    def _entry(self, bucket: str, name: str) -> str:
        content = self.objects[bucket + name]
        return (
            f"<Contents><Key>{escape(name)}</Key><Size>{len(content)}</Size><ETag>{etag(content)}</ETag>"
            f"<LastModified>{_moment(self.modified.get(bucket + name, 0))}</LastModified></Contents>"
        )

    def _upload(self, query: Query) -> Upload:
        if query["uploadId"] not in self.uploads:
            raise Refused(404, "NoSuchUpload")
        return self.uploads[query["uploadId"]]

    def _write(self, path: str, body: bytes, headers: Headers) -> None:
        self.objects[path] = body
        self.headers[path] = headers
        self.modified[path] = self.clock()


def etag(content: bytes) -> str:
    """Return the ETag of an object that was written whole."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _kept(headers: Mapping[str, str]) -> Headers:
    return {name: headers[name] for name in KEPT_HEADERS if name in headers}


def _moment(seconds: float) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(seconds))


def _truncated(more: bool) -> str:
    return f"<IsTruncated>{str(more).lower()}</IsTruncated>"


def _document(name: str, *content: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{NAMESPACE}">{"".join(content)}</{name}>'
    return 200, body.encode(), {"Content-Type": "application/xml"}
