"""Files that a record lists itself, as assets of its Item.

    "Files": [{"key", "href", "name"?, "type"?, "title"?, "roles"?, "size"?, "checksum"?, "fields"?}]

`href` is the upstream's own URL, `name` the file's name (default: the last segment of the URL's path), `size`
in bytes, `checksum` a multihash in hex, `fields` are further members, verbatim. A malformed file is left out;
of several with one key the first counts. What has no http(s) URL is shown with its own href: the bridge does
not carry it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from stacbridge.model import Json
from stacbridge.scalars import integer

OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """One file. `members` is what the Item shows besides hrefs."""

    key: str
    href: str
    name: str
    media_type: str
    size: int | None
    checksum: str | None
    members: Json

    @property
    def carried(self) -> bool:
        """Whether the bridge can fetch it."""
        return self.href.startswith(("https://", "http://"))


def files(record: Json) -> dict[str, File]:
    """Return the files of a record by their key."""
    entries = record.get("Files")
    found: dict[str, File] = {}
    for file in map(_file, entries if isinstance(entries, list) else ()):
        if file is not None:
            found.setdefault(file.key, file)
    return found


def shown(record: Json, home: str, alternates: Mapping[str, Json]) -> Json:
    """Return the assets of a record's files; `home` is the URL of the item's assets."""
    return {key: _asset(file, home, alternates) for key, file in files(record).items()}


def _file(entry: Any) -> File | None:
    if not isinstance(entry, dict):
        return None
    key, href = entry.get("key"), entry.get("href")
    if not isinstance(key, str) or not isinstance(href, str) or not key or not href:
        return None
    size = integer(entry.get("size"))
    return File(
        key=key,
        href=href,
        name=_text(entry, "name") or _last(href) or key,
        media_type=_text(entry, "type") or OCTETS,
        size=size if size is not None and size > 0 else None,
        checksum=_text(entry, "checksum"),
        members=dict(_members(entry)),
    )


def _members(entry: Json) -> Iterator[tuple[str, Any]]:
    for name in ("title", "type"):
        if text := _text(entry, name):
            yield name, text
    yield "roles", list(entry.get("roles") or [])
    yield from (entry.get("fields") or {}).items()


def _text(entry: Json, name: str) -> str | None:
    value = entry.get(name)
    return value if isinstance(value, str) and value else None


def _last(href: str) -> str:
    return unquote(urlsplit(href).path.rstrip("/").rpartition("/")[2])


def _asset(file: File, home: str, alternates: Mapping[str, Json]) -> Json:
    found = {"href": f"{home}/{quote(file.key, safe='')}/{quote(file.name, safe='')}", **file.members}
    if file.size is not None:
        found["file:size"] = file.size
    if file.checksum is not None:
        found["file:checksum"] = file.checksum
    if not file.carried:
        own = alternates.get("s3", {}) if file.href.startswith("s3://") else {}
        return {**found, **_without_name(own), "href": file.href}
    if "origin" in alternates:
        found["alternate"] = {"origin": {"href": file.href, **alternates["origin"]}}
    return found


def _without_name(members: Json) -> Json:
    """Return what an alternate says, for an asset that is the only way to its bytes."""
    return {name: value for name, value in members.items() if name != "alternate:name"}
