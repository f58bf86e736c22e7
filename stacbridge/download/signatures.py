"""What the first bytes of a file say it is, against what the catalogue says it is."""

ENOUGH = 16
"""Bytes that tell every format below."""

_IMAGE = (
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"MM\x00+",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    b"\xff\x4f\xff\x51",
    b"GIF8",
    b"RIFF",
)
"""TIFF and BigTIFF, PNG, JPEG, JPEG 2000 boxed and bare, GIF, WebP. Catalogues mix their media types up."""
_ARRAY = (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF\r\n\x1a\n")
"""NetCDF classic, 64-bit offset and CDF-5; HDF5, which NetCDF-4 is too."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_GZIP = (b"\x1f\x8b",)
_XML = (b"<",)
_JSON = tuple(bytes([char]) for char in b'{["-0123456789tfn')

_FORMATS = {
    "application/zip": _ZIP,
    "application/gzip": _GZIP,
    "application/netcdf": _ARRAY,
    "application/x-netcdf": _ARRAY,
    "application/x-hdf5": _ARRAY,
    "application/x-hdf": _ARRAY,
    "image/tiff": _IMAGE,
    "image/jp2": _IMAGE,
    "image/png": _IMAGE,
    "image/jpeg": _IMAGE,
    "application/xml": _XML,
    "text/xml": _XML,
    "application/json": _JSON,
    "application/geo+json": _JSON,
}
_TEXT = (_XML, _JSON)
_PAGE = (b"<!doctype html", b"<html")


def mismatch(first: bytes, media_type: str) -> str | None:
    """Say what a file that starts with `first` is instead of `media_type`; None where it may well be that.

    `first` may be fewer bytes than `ENOUGH` where the file, or the part that was asked for, has no more.
    """
    expected = media_type.partition(";")[0].strip().lower()
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:ENOUGH].lower().startswith(_PAGE) and "html" not in expected:
        return "an HTML page"
    formats = _FORMATS.get(expected)
    start = text if formats in _TEXT else first
    if formats is None or not start or any(_agrees(start, known) for known in formats):
        return None
    return f"bytes that are no {expected}"


def _agrees(start: bytes, known: bytes) -> bool:
    return start.startswith(known) or known.startswith(start)
