"""Where the Collections of an upstream are, as a search by place can read it."""

from collections.abc import Iterable
from typing import Any

from stacbridge import geometry, scalars
from stacbridge.errors import BadRequest
from stacbridge.mapping.about import WORLD


def boxes(told: Iterable[Any]) -> list[list[float]]:
    """Return the boxes that are some: west, south, east, north in degrees, or six numbers with heights.

    Others are left out: what they mean is a guess, and a guess hides Collections. Without any, the world.
    """
    return [box for each in told if (box := _box(each)) is not None] or [[*WORLD]]


def _box(told: Any) -> list[float] | None:
    numbers = [scalars.double(each) for each in told] if isinstance(told, list) else []
    try:
        geometry.parse_bbox(numbers)
    except BadRequest:
        return None
    return [number for number in numbers if number is not None]
