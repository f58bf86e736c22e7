"""Which STAC extension a property or member belongs to, at the versions that the bridge writes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_HOME = "https://stac-extensions.github.io"

EXTENSIONS: dict[str, str] = {
    "alternate": f"{_HOME}/alternate-assets/v1.2.0/schema.json",
    "auth:": f"{_HOME}/authentication/v1.1.0/schema.json",
    "eo:": f"{_HOME}/eo/v2.0.0/schema.json",
    "file:": f"{_HOME}/file/v2.1.0/schema.json",
    "grid:": f"{_HOME}/grid/v1.1.0/schema.json",
    "order:": f"{_HOME}/order/v1.1.0/schema.json",
    "processing:": f"{_HOME}/processing/v1.2.0/schema.json",
    "product:": f"{_HOME}/product/v1.0.0/schema.json",
    "proj:": f"{_HOME}/projection/v2.0.0/schema.json",
    "raster:": f"{_HOME}/raster/v2.0.0/schema.json",
    "sar:": f"{_HOME}/sar/v1.3.0/schema.json",
    "sat:": f"{_HOME}/sat/v1.2.0/schema.json",
    "sci:": f"{_HOME}/scientific/v1.0.0/schema.json",
    "storage:": f"{_HOME}/storage/v2.0.0/schema.json",
    "view:": f"{_HOME}/view/v1.1.0/schema.json",
    "published": f"{_HOME}/timestamps/v1.1.0/schema.json",
    "expires": f"{_HOME}/timestamps/v1.1.0/schema.json",
    "unpublished": f"{_HOME}/timestamps/v1.1.0/schema.json",
}
"""Schema URI by the prefix of a member's name with its colon, or by the whole name where it has no prefix."""


def members(value: Any) -> Iterator[str]:
    """Iterate over the names of all members at any depth of a JSON value."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from members(member)
    elif isinstance(value, list):
        for member in value:
            yield from members(member)


def of(names: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """Return the schema URIs that members of these names belong to, sorted, each once."""
    return sorted({known[key] for name in names if (key := name[: name.find(":") + 1] or name) in known})
