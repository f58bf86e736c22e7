"""What OData lists, as records: `Attributes` as a dict of name to value, files of their own as `Files`."""

from dataclasses import dataclass
from typing import Any

from stacbridge import scalars
from stacbridge.model import Json


@dataclass(frozen=True, slots=True)
class Listing:
    """The entities of one reply; `more` tells that it names a next page, `count` is the number of all, if
    told."""

    records: list[Json]
    more: bool
    count: int | None


def product(entry: Json) -> Json:
    """Turn the attributes of a product into a dict."""
    attributes = entry.get("Attributes")
    entry["Attributes"] = _named(attributes) if isinstance(attributes, list) else {}
    return entry


def entity(entry: Json, url: str) -> Json:
    """Turn an entity with plain properties into a record: they are its attributes, its bytes its file.

    `url` is that of the entity set. The file is made when it is asked for, by POST.
    """
    attributes = {name: value for name, value in entry.items() if not isinstance(value, dict | list)}
    file = {
        "key": "product",
        "href": f"{url}({entry.get('Id')})/$value",
        "name": f"{entry.get('Name')}.zip",
        "type": "application/zip",
        "title": "Zipped product, made on demand",
        "roles": ["data", "metadata", "archive"],
    }
    return {**entry, "Attributes": attributes, "Files": [file]}


def sort_value(record: Json, path: str) -> str | None:
    """Return the time at a path of a record, as RFC 3339."""
    name, _, within = path.partition("/")
    value = record.get(name)
    if within:
        value = value.get(within) if isinstance(value, dict) else None
    return scalars.time(value)


def _named(attributes: list[Any]) -> Json:
    """Return OData's list of attributes as a dict; malformed ones are left out."""
    try:
        return {attribute["Name"]: attribute["Value"] for attribute in attributes}
    except (KeyError, TypeError):
        whole = [
            entry for entry in attributes if isinstance(entry, dict) and isinstance(entry.get("Name"), str)
        ]
        return {entry["Name"]: entry.get("Value") for entry in whole}
