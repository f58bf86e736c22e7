"""Walks that leave each page behind any of its records, as a merge with other catalogues does."""

from dataclasses import replace
from random import Random

import orjson
from hypothesis import strategies as st

from stacbridge.model import Json, Page

CHANCES = st.none() | st.builds(Random, st.integers(0, 2**32))
"""What decides where pages are left; with `None`, none is left before its end."""


def left(page: Page, chance: Random | None) -> tuple[Page, Json | None]:
    """Return a page as far as it is taken, and where the walk goes on, in JSON as in a token."""
    count = len(page.records)
    taken = count if chance is None or not count else chance.randint(1, count)
    at = page.position
    if taken < count:
        assert page.after is not None
        at = page.after(taken)
        assert at is not None, "there are more records"
    return replace(page, records=page.records[:taken], position=at), orjson.loads(orjson.dumps(at))
