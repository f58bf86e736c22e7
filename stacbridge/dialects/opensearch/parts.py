"""Splitting a search that time splits no further: by area, or by a parameter with a closed set of values.

A split is believed by its counts alone. Quarters of an area must not all hold everything, and all records
must be in the world where no area was asked for: no quarter finds one without a place. Values of a parameter
must sum up to all records, each of which then has exactly one of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from stacbridge import geometry
from stacbridge.dialects.cells import WORLD, Cell
from stacbridge.dialects.dialect import Conversation
from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.plan import Area, Step
from stacbridge.dialects.together import together


class Part(NamedTuple):
    """A part of a step's records: the quarters of its area that they are in (see `Cell`), and what they have
    of parameters."""

    path: str = ""
    values: tuple[tuple[str, str], ...] = ()


Count = Callable[[Step], Conversation[int | None]]


def cell(step: Step, part: Part) -> Cell:
    """Return the area of a part."""
    return Cell(step.areas[0].bbox if step.areas else WORLD, part.path)


def within(step: Step, part: Part | None) -> Step:
    """Return the search of a part of a step."""
    if part is None:
        return step
    found = replace(step, values={**step.values, **dict(part.values)})
    return around(found, cell(step, part)) if part.path else found


def split(
    url: Url, options: Options, step: Step, part: Part, total: int, count: Count
) -> Conversation[list[Part]]:
    """Return parts that together are this one of `total` records, none where the service offers no such
    split."""
    quarters = yield from _quarters(url, step, part, total, count)
    if quarters:
        return quarters
    for parts in _by_value(url, options, step, part):
        totals = yield from together(count(within(step, each)) for each in parts)
        known = [number for number in totals if number is not None]
        if sum(known) == total and len(known) == len(parts) and max(known) < total:
            return _held(parts, known)
    return []


def placed(url: Url, step: Step, count: Count, total: int | None = None) -> Conversation[bool]:
    """Tell whether areas find all records of a step, of which there are `total`, if that is known."""
    if url.template.names.isdisjoint((("geo", "box"), ("geo", "geometry"))):
        return False
    if step.areas:
        return True
    everything = total if total is not None else (yield from count(step))
    return everything is not None and everything == (yield from count(around(step, Cell())))


def _quarters(url: Url, step: Step, part: Part, total: int, count: Count) -> Conversation[list[Part]]:
    if not part.path and not (yield from placed(url, within(step, part), count, total)):
        return []
    found = [part._replace(path=each.path) for each in cell(step, part).quarters()]
    totals = yield from together(count(within(step, each)) for each in found)
    known = [number for number in totals if number is not None]
    tells = len(known) == 4 and sum(known) >= total and min(known) < total
    return _held(found, known) if tells else []


def _by_value(url: Url, options: Options, step: Step, part: Part) -> Iterator[list[Part]]:
    """Yield the parts by each parameter that has a closed set of values and is not asked for yet."""
    taken = {*options.fixed, *dict(part.values)}
    taken |= {options.parameters.get(name, name) for name in step.values}
    for name, parameter in url.parameters.items():
        if len(parameter.options) > 1 and name in url.template.names and name[1] not in taken:
            yield [part._replace(values=(*part.values, (name[1], value))) for value in parameter.options]


def _held(parts: list[Part], totals: list[int]) -> list[Part]:
    return [part for part, number in zip(parts, totals, strict=True) if number]


def around(step: Step, area: Cell) -> Step:
    """Return the search of what a step finds in an area."""
    return replace(step, areas=(Area(geometry.box(area.box), exact=True), *step.areas))
