"""Requests of one page, made from a template: whatever key a service gives a parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from stacbridge.dialects.opensearch.description import Url
from stacbridge.dialects.opensearch.options import Options
from stacbridge.dialects.opensearch.plan import Area, Step
from stacbridge.dialects.opensearch.template import Name, Template
from stacbridge.model import Interval, Request

COUNT: Name = ("os", "count")
INDEX: Name = ("os", "startIndex")
PAGE: Name = ("os", "startPage")
UID: Name = ("geo", "uid")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Slice:
    """Which records of an answer: from `start` on, `count` of them; `following` are the parameters by which
    a service that pages by links alone finds the page."""

    start: int
    count: int
    following: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What records are sorted by: a STAC property, and the service's name for it, where it has one."""

    stac: str
    name: str | None
    descending: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and how many records of its answer come before those wanted."""

    request: Request
    skip: int


def page(
    url: Url,
    options: Options,
    step: Step | None,
    wanted: Slice,
    interval: Interval | None = None,
    order: Order | None = None,
    uid: str | None = None,
) -> Asked:
    """Return the request for a page. `step` is `None` for a search of collections."""
    template = url.template
    values, skip = _paging(url, options, wanted, None if step is None else options.depth)
    values |= _time(interval)
    values |= _order(order)
    values[("sru", "httpAccept")] = url.media_type
    more: dict[str, str] = {}
    if step is not None:
        values |= _area(template, step.areas[0]) if step.areas else {}
        values |= _conditions(template, step, options)
        more = _fixed(template, options, values)
        if step.key is not None:
            values[("eo", "parentIdentifier")] = step.key
            if options.collection and ("eo", "parentIdentifier") not in template.names:
                more[options.collection] = step.key
    if uid is not None:
        values[UID] = uid
    address, params = template.fill(values)
    more |= wanted.following
    kept = tuple((key, value) for key, value in params if key not in more)
    return Asked(Request("GET", address, (*kept, *more.items()), {"Accept": url.media_type}), skip)


def _paging(url: Url, options: Options, wanted: Slice, depth: int | None) -> tuple[dict[Name, str], int]:
    """Return the values that find a page, and how many of its records come before those wanted."""
    names = url.template.names
    largest = url.parameters[COUNT].largest if COUNT in url.parameters else None
    most = min(options.page, largest or options.page)
    if INDEX in names:
        left = wanted.count if depth is None else depth - wanted.start
        start = str(wanted.start + url.index_offset)
        return {COUNT: str(min(wanted.count, most, left)), INDEX: start}, 0
    if PAGE in names:  # pages must keep their length, so that their numbers mean the same records
        number, skip = divmod(wanted.start, most)
        return {COUNT: str(most), PAGE: str(number + url.page_offset)}, skip
    return {COUNT: str(most)}, wanted.start


def _time(interval: Interval | None) -> dict[Name, str]:
    """Return the ends of an interval in whole seconds that are not within it."""
    found: dict[Name, str] = {}
    if interval and interval.start:
        found[("time", "start")] = _second(interval.start.replace(microsecond=0))
    if interval and interval.end:
        end = interval.end
        whole = end.replace(microsecond=0)
        found[("time", "end")] = _second(whole if whole == end or end > _LATEST else whole + SECOND)
    return found


_LATEST = datetime.fromisoformat("9999-12-31T23:59:58Z")


def _second(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _order(order: Order | None) -> dict[Name, str]:
    if order is None or order.name is None:
        return {}
    return {
        ("sru", "sortKeys"): f"{order.name},,{0 if order.descending else 1}",
        ("resto", "sortParam"): order.name,
        ("resto", "sortOrder"): "descending" if order.descending else "ascending",
    }


def sorts(template: Template) -> bool:
    """Tell whether a service sorts."""
    return not template.names.isdisjoint((("sru", "sortKeys"), ("resto", "sortParam")))


def _area(template: Template, area: Area) -> dict[Name, str]:
    """Return the value that asks for an area, or where there is none for the box around it."""
    box: dict[Name, str] = {("geo", "box"): ",".join(format(Decimal(repr(n)), "f") for n in area.bbox)}
    if area.wkt is None or ("geo", "geometry") not in template.names:
        return box
    if area.exact and ("geo", "box") in template.names:
        return box
    relation: dict[Name, str] = {("geo", "relation"): "intersects"}
    return {("geo", "geometry"): area.wkt, **relation}


def names_area(template: Template, step: Step) -> bool:
    """Tell whether a service is asked for the area of a step, if it has one, and for no more: not for the box
    around it, one area of several, or the whole world."""
    if len(step.areas) != 1 or step.apart is not None:
        return not step.areas and step.apart is None
    asked = _area(template, step.areas[0]).keys() & template.names
    return ("geo", "geometry") in asked or (step.areas[0].exact and ("geo", "box") in asked)


def _conditions(template: Template, step: Step, options: Options) -> dict[Name, str]:
    found: dict[Name, str] = {}
    for attribute, value in step.values.items():
        name = template.find(options.parameters.get(attribute, attribute))
        if name is not None:
            found[name] = value
    return found


def _fixed(template: Template, options: Options, values: dict[Name, str]) -> dict[str, str]:
    """Put in the parameters with values of their own; return those that the template does not name."""
    more = {}
    for local, value in options.fixed.items():
        name = template.find(local)
        if name is None:
            more[local] = value
        else:
            values[name] = value
    return more
