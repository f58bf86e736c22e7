"""Names in the settings, each of which must name something: a setting, a catalogue, one of its endpoints."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from stacbridge.errors import Misconfigured
from stacbridge.mapping.sources import available, endpoints
from stacbridge.settings import Settings

PREFIX = "STACBRIDGE_"
OTHERS = ("CONFIG", "URL", "KEY", "RECORDINGS", "SCHEMAS", "ONLINE", "FULL")
"""What commands read beside the settings, and what the tests do."""
OWN = "your own are read from `catalogue_folder`."
REFERENCE = "docs/reference/settings.md"


def check_variables(environment: Mapping[str, str]) -> None:
    """Refuse variables that nobody reads: whoever set one believes that it holds. Raises `Misconfigured`."""
    known = [*(name.upper() for name in Settings.model_fields), *OTHERS]
    told = [name.upper().removeprefix(PREFIX) for name in environment if name.upper().startswith(PREFIX)]
    unread = sorted(name for name in told if not _is_read(name, known))
    if unread:
        near = _near(unread[0], known, f"{REFERENCE} has them all.", PREFIX)
        files = " Only secrets of accounts and of the bucket may stand in files." if _is_file(unread) else ""
        raise Misconfigured(
            f"No setting is named {' or '.join(PREFIX + name for name in unread)}.", advice=near + files
        )


def check_catalogues(settings: Settings) -> None:
    """Refuse settings of catalogues, or endpoints, that there are not. Raises `Misconfigured`."""
    known = available(settings)
    for setting, catalogue in _named(settings):
        if catalogue not in known:
            raise Misconfigured(
                f"There is no catalogue {catalogue!r}, which the setting `{setting}` names.",
                advice=_near(catalogue, known, f"There is: {', '.join(known)}; {OWN}"),
            )
    for catalogue, replaced in settings.endpoints.items():
        there = endpoints(catalogue, settings)
        for name in sorted(replaced.keys() - there):
            raise Misconfigured(
                f"Catalogue {catalogue!r} has no endpoint {name!r}, which the setting `endpoints` names.",
                advice=_near(name, there, f"It has: {', '.join(sorted(there))}."),
            )


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    for setting in ("catalogues", "credentials", "endpoints", "accounts", "unchecked"):
        for catalogue in getattr(settings, setting):
            yield setting, catalogue


def _is_read(name: str, known: Collection[str]) -> bool:
    setting, *members = name.split("__")
    field = Settings.model_fields.get(setting.lower())
    return setting in known and (not members or (field is not None and _has_members(field.annotation)))


def _has_members(annotation: Any) -> bool:
    parts = (annotation, *get_args(annotation))
    return any(get_origin(part) is dict or _is_model(part) for part in parts)


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _is_file(names: Collection[str]) -> bool:
    return any(name.endswith("_FILE") for name in names)


def _near(name: str, known: Collection[str], otherwise: str, prefix: str = "") -> str:
    spelled = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), spelled, 1)
    return f"Did you mean {prefix}{spelled[near[0]]}?" if near else otherwise
