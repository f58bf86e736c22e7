"""Names of files on this machine, from words that a server chose."""

import re
from urllib.parse import unquote, urlsplit

from stacbridge.errors import StacbridgeError

# Not allowed in names on some systems, or confusing on a terminal.
AWKWARD = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*]')


def file_name(href: str) -> str:
    """Return the name that the last segment of an href's path gives a file."""
    return safe_name(unquote(urlsplit(href).path.rpartition("/")[2]))


def safe_name(name: str) -> str:
    """Return a name that stays inside its folder on every system; refuse one that would lead out of it."""
    if not name.strip(". ") or "/" in name or "\\" in name:
        raise StacbridgeError(f"{name!r} is not a usable file name.", advice="Nothing was written.")
    return AWKWARD.sub("_", name)


def without_query(href: str) -> str:
    """Return an href as it may be shown: its query may hold a signature."""
    return href.partition("?")[0]
