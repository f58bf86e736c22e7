"""Free text (`q`) in Items becomes CQL2: one of the terms is in one of the texts that Items have.

Terms are parts of texts, or of one of the texts in a list, in any case. Source:
https://github.com/stac-api-extensions/freetext-search (v1.0.0-rc.1).
"""

from typing import Any

from stacbridge.cql import build
from stacbridge.errors import BadRequest
from stacbridge.model import Json
from stacbridge.settings import Settings

TEXTS = (
    *("id", "collection", "title", "description", "platform", "constellation", "mission"),
    *("processing:level", "product:type", "sar:instrument_mode", "grid:code"),
)
"""Properties of Items whose text is searched."""

LISTS = ("instruments", "keywords")
"""Properties of Items that are lists of texts."""


def terms(value: Any, settings: Settings) -> tuple[str, ...]:
    """Return the distinct terms of `q`, a list of texts. Raises `BadRequest` naming `q`."""
    if not isinstance(value, list) or not all(isinstance(term, str) for term in value):
        raise BadRequest("q must be a list of texts.", parameter="q")
    found = tuple(dict.fromkeys(stripped for term in value if (stripped := term.strip().strip('"'))))
    if len(found) > settings.max_terms:
        raise BadRequest(f"q has more than {settings.max_terms} terms (max_terms).", parameter="q")
    if sum(len(term.encode()) for term in found) > settings.max_filter_bytes:
        raise BadRequest(
            f"q is longer than {settings.max_filter_bytes} bytes (max_filter_bytes).", parameter="q"
        )
    return found


def condition(sought: tuple[str, ...]) -> Json | None:
    """Return the CQL2 JSON that holds for Items with one of these terms; `None` where there are none."""
    return build.disjunction(test for term in sought for test in _tests(term))


def _tests(term: str) -> list[Json]:
    pattern = f"%{build.escaped(term)}%"
    return [
        *(build.like_in_any_case(name, pattern) for name in TEXTS),
        *(build.holding_in_any_case(name, pattern) for name in LISTS),
    ]
