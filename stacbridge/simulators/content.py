"""Small files that real software opens, each of a length known before it is made.

The content is a function of the file's path, so that every file differs and none changes.
"""

import io
import struct
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Bounds = tuple[float, float, float, float]
SIDE = 256
_TILE = 128
_HEAD = 1024
_TIFF = _HEAD + SIDE * SIDE + _TILE * _TILE
_CELLS = 24
_GEOJP2 = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
SIZES = {
    "manifest": 24576,
    "xml": 4096,
    "text": 1024,
    "json": 1024,
    "raw": 16384,
    "tiff": _TIFF,
    "jp2": 8192,
    "png": 6144,
    "jpeg": 4096,
    "netcdf": 4096,
}


def make(kind: str, title: str, bounds: Bounds, text: str = "") -> bytes:
    """The bytes of a file, SIZES[kind] of them; `text` is the content of a manifest."""
    match kind:
        case "tiff":
            made = geotiff(_picture(title), bounds)
        case "jp2":
            made = _jp2(title, bounds)
        case "png":
            made = _png(title)
        case "jpeg":
            made = _jpeg(title)
        case "netcdf":
            made = netcdf(_picture(title)[:_CELLS, :_CELLS], title, bounds)
        case "raw":
            made = _raw(title)
        case _:
            made = _padded(kind, text or f"<file>{title}</file>")
    if len(made) != SIZES[kind]:
        raise ValueError(f"{kind} {title} has {len(made)} bytes, not {SIZES[kind]}")
    return made


def _picture(title: str) -> NDArray[np.uint8]:
    return _pattern(zlib.crc32(title.encode()) % 16)


@lru_cache(maxsize=16)
def _pattern(number: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    waves = np.sin((number + 2) * 1.7 * x + number) * np.cos((17 - number) * 0.9 * y) + x * y
    low, high = waves.min(), waves.max()
    return np.asarray(1 + 254 * (waves - low) / (high - low), dtype=np.uint8)


def _padded(kind: str, text: str) -> bytes:
    body = text.encode()
    if kind in ("xml", "manifest") and not text.startswith("<?xml"):
        body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + body
    if kind == "json":
        body = b'{"title": "' + text.encode() + b'"}'
    return body.ljust(SIZES[kind], b"\n")


def _raw(title: str) -> bytes:
    seed = zlib.crc32(title.encode())
    return np.random.Generator(np.random.PCG64(seed)).bytes(SIZES["raw"])


# GeoTIFF ------------------------------------------------------------------------------------------
def geotiff(picture: NDArray[np.uint8], bounds: Bounds) -> bytes:
    """A tiled, cloud-optimised GeoTIFF in EPSG:4326 with one overview; `picture` is SIDE x SIDE."""
    small = picture[::2, ::2]
    first = _HEAD + _TILE * _TILE
    tiles = [first + n * _TILE * _TILE for n in range(4)]
    extra = 512
    arrays = struct.pack("<4I", *tiles) + struct.pack("<4I", *[_TILE * _TILE] * 4)
    geo, values = _georeference(bounds, extra + len(arrays))
    main = _ifd(0, SIDE, [(324, 4, 4, extra), (325, 4, 4, extra + 16)], geo)
    over = _ifd(1, _TILE, [(324, 4, 1, _HEAD), (325, 4, 1, _TILE * _TILE)], [])
    head = b"II*\0" + struct.pack("<I", 8) + main[:-4] + struct.pack("<I", 8 + len(main)) + over
    head = head.ljust(extra, b"\0") + arrays + values
    return head.ljust(_HEAD, b"\0") + small.tobytes() + _tiles(picture)


Entry = tuple[int, int, int, int]


def _georeference(bounds: Bounds, at: int) -> tuple[list[Entry], bytes]:
    """Tags that place SIDE x SIDE pixels in EPSG:4326, and their values, which are to stand at byte `at`."""
    west, south, east, north = bounds if bounds[0] < bounds[2] else (0.0, 0.0, 1.0, 1.0)
    scale = struct.pack("<3d", (east - west) / SIDE, (north - south) / SIDE, 0.0)
    tie = struct.pack("<6d", 0, 0, 0, west, north, 0)
    keys = struct.pack("<16H", 1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
    entries = [(33550, 12, 3, at), (33922, 12, 6, at + 24), (34735, 3, 16, at + 72)]
    return entries, scale + tie + keys


def _ifd(subfile: int, side: int, data: list[Entry], geo: list[Entry]) -> bytes:
    entries = [
        (254, 4, 1, subfile),
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (277, 3, 1, 1),
        (322, 4, 1, _TILE),
        (323, 4, 1, _TILE),
        *data,
        (339, 3, 1, 1),
        *geo,
    ]
    return (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *e) for e in entries)
        + struct.pack("<I", 0)
    )


def _tiles(picture: NDArray[np.uint8]) -> bytes:
    halves = (slice(0, _TILE), slice(_TILE, SIDE))
    return b"".join(picture[rows, columns].tobytes() for rows in halves for columns in halves)


# Pictures -----------------------------------------------------------------------------------------
@lru_cache(maxsize=48)
def _encoded(number: int, form: str) -> bytes:
    out = io.BytesIO()
    image = Image.fromarray(_pattern(number))
    if form == "JPEG2000":
        image.resize((SIDE, SIDE)).save(
            out, form, quality_mode="rates", quality_layers=[16], irreversible=True
        )
    elif form == "JPEG":
        image.resize((96, 96)).convert("RGB").save(out, form, quality=60)
    else:
        image.resize((64, 64)).convert("P").save(out, form)
    return out.getvalue()


def _jp2(title: str, bounds: Bounds) -> bytes:
    """A JPEG 2000 file with a GeoJP2 box: a TIFF of one pixel that carries the georeference."""
    at = 8 + 2 + 15 * 12 + 4  # the head, and a directory of fifteen entries
    geo, values = _georeference(bounds, at)
    tiff = b"II*\0" + struct.pack("<I", 8) + _ifd(0, 1, [(324, 4, 1, 0), (325, 4, 1, 0)], geo)
    place = _GEOJP2 + tiff.ljust(at, b"\0") + values
    body = _encoded(zlib.crc32(title.encode()) % 16, "JPEG2000")
    body += struct.pack(">I4s", 8 + len(place), b"uuid") + place
    room = SIZES["jp2"] - len(body)
    return body + struct.pack(">I4s", room, b"xml ") + f"<member>{title}</member>".encode().ljust(room - 8)


def _jpeg(title: str) -> bytes:
    body = _encoded(zlib.crc32(title.encode()) % 16, "JPEG")
    room = SIZES["jpeg"] - len(body) - 4
    return body[:2] + b"\xff\xfe" + struct.pack(">H", room + 2) + title.encode()[:room].ljust(room) + body[2:]


def _png(title: str) -> bytes:
    body = _encoded(zlib.crc32(title.encode()) % 16, "PNG")
    room = SIZES["png"] - len(body) - 12
    chunk = b"tEXt" + b"Title\0" + title.encode("ascii")[: room - 6].ljust(room - 6)
    end = body.rindex(b"IEND") - 4
    return body[:end] + struct.pack(">I", room) + chunk + struct.pack(">I", zlib.crc32(chunk)) + body[end:]


# NetCDF -------------------------------------------------------------------------------------------
def netcdf(values: NDArray[np.uint8], title: str, bounds: Bounds) -> bytes:
    """A NetCDF-3 classic file: `value(lat, lon)` with its two axes and a title."""
    rows, columns = values.shape
    lat = np.linspace(bounds[3], bounds[1], rows).astype(">f4").tobytes()
    lon = np.linspace(bounds[0], bounds[2], columns).astype(">f4").tobytes()
    data = values.astype(">f4").tobytes()
    room = SIZES["netcdf"] - len(lat) - len(lon) - len(data)
    return _netcdf_head(rows, columns, title, room).ljust(room, b"\0") + lat + lon + data


def _netcdf_head(rows: int, columns: int, title: str, begin: int) -> bytes:
    def name(text: str) -> bytes:
        raw = text.encode()
        return struct.pack(">I", len(raw)) + raw.ljust(-(-len(raw) // 4) * 4, b"\0")

    def attribute(key: str, value: str) -> bytes:
        return name(key) + struct.pack(">I", 2) + name(value)

    def variable(key: str, dims: list[int], units: str, size: int, offset: int) -> bytes:
        shape = struct.pack(f">I{len(dims)}I", len(dims), *dims)
        listed = struct.pack(">II", 12, 1) + attribute("units", units)
        return name(key) + shape + listed + struct.pack(">III", 5, size, offset)

    dims = (
        struct.pack(">II", 10, 2)
        + name("lat")
        + struct.pack(">I", rows)
        + name("lon")
        + struct.pack(">I", columns)
    )
    attributes = struct.pack(">II", 12, 1) + attribute("title", title[:160])
    variables = struct.pack(">II", 11, 3)
    variables += variable("lat", [0], "degrees_north", rows * 4, begin)
    variables += variable("lon", [1], "degrees_east", columns * 4, begin + rows * 4)
    variables += variable("value", [0, 1], "1", rows * columns * 4, begin + (rows + columns) * 4)
    return b"CDF\x01" + struct.pack(">I", 0) + dims + attributes + variables
