"""Random searches: everything that item search takes, on what the archives hold and on what they do not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from conformance.differential.archives import Pool, World
from conformance.differential.brute import texts
from conformance.differential.places import areas, bboxes, geometries
from tests.unit.cql_trees import one_of, trees

Json = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A search as JSON, how it is asked, and how many pages of it are looked at."""

    search: Json
    method: str
    as_text: bool
    pages: int = 12

    @property
    def collections(self) -> Sequence[str]:
        """The collections that it names."""
        named: Sequence[str] = self.search.get("collections", ())
        return named


@st.composite
def questions(draw: st.DrawFn, world: World) -> Question:
    """Draw a search."""
    collections = draw(_collections(world))
    items = world.of(collections) or world.of(())
    search: Json = {"collections": collections} if collections else {}
    if draw(st.integers(0, 9)) < 8:
        ids = Pool(item["id"] for item in items)
        search["filter"] = draw(trees(world.values(collections), ids, areas(items)))
    search |= draw(_narrowed(items))
    search["limit"] = draw(st.sampled_from([1, 2, 7, 50, 250, 1000]))
    sortby = draw(_sortby(world, collections))
    if sortby:
        search["sortby"] = sortby
    if draw(st.booleans()):
        search["count"] = True
    return Question(search, draw(st.sampled_from(["GET", "POST"])), draw(st.booleans()))


@st.composite
def _collections(draw: st.DrawFn, world: World) -> list[str]:
    """Draw none, or some of one, two or all catalogues; now and then one that is empty or nowhere."""
    kind = draw(st.sampled_from(["all", "one", "one", "some", "some", "some"]))
    if kind == "all":
        return []
    if kind == "one":
        return [draw(st.sampled_from(world.collections))]
    owners = draw(st.lists(st.sampled_from(sorted(world.catalogues)), min_size=1, unique=True))
    named = [
        name
        for owner in owners
        for name in draw(
            st.lists(st.sampled_from(world.catalogues[owner]), min_size=1, max_size=4, unique=True)
        )
    ]
    other = draw(st.sampled_from(["", "", "", "nowhere", *world.empty[:2]]))
    return [*named, other] if other else named


@st.composite
def _narrowed(draw: st.DrawFn, items: Sequence[Json]) -> Json:
    """Draw what else a search asks of Items: a time, a place, ids; most searches only one of them."""
    chosen = draw(
        st.lists(st.sampled_from(["datetime", "bbox", "intersects", "ids", "q"]), max_size=2, unique=True)
    )
    if "bbox" in chosen and "intersects" in chosen:
        chosen.remove("bbox")
    makers: dict[str, Callable[[Sequence[Json]], st.SearchStrategy[Any]]]
    makers = {"datetime": datetimes, "bbox": bboxes, "intersects": geometries, "ids": _ids, "q": _terms}
    return {name: draw(makers[name](items)) for name in chosen}


def _ids(items: Sequence[Json]) -> st.SearchStrategy[list[str]]:
    known = one_of(items).map(lambda item: str(item["id"]))
    other = st.sampled_from(["nobody", "S2A_MSIL1C_20200101T000000_N0208_R001_T31UFS_20200101T000000"])
    return st.lists(known | known | known | other, min_size=1, max_size=6, unique=True)


@st.composite
def _terms(draw: st.DrawFn, items: Sequence[Json]) -> list[str]:
    """Draw terms of free text: pieces of what Items tell, in any case; now and then what none tells."""
    found = []
    for _ in range(draw(st.integers(1, 2))):
        whole = draw(st.sampled_from(texts(draw(one_of(items))))).partition(",")[0]
        start = draw(st.integers(0, max(0, len(whole) - 2)))
        piece = whole[start : start + draw(st.integers(2, 12))].strip(' "') or whole
        found.append(draw(st.sampled_from([piece, piece.upper(), piece.lower(), f"{piece}~"])))
    return found


@st.composite
def datetimes(draw: st.DrawFn, items: Sequence[Json]) -> str:
    """Draw a `datetime` in each of its forms, at times of Items and beside them."""
    first, last = sorted((draw(_times(items)), draw(_times(items))))
    form = draw(st.sampled_from(["{0}", "{0}/{1}", "{0}/{1}", "{0}/..", "../{1}", "{0}/", "/{1}"]))
    return form.format(draw(_written(first)), draw(_written(last)))


@st.composite
def _times(draw: st.DrawFn, items: Sequence[Json]) -> datetime:
    properties = draw(one_of(items))["properties"]
    name = draw(st.sampled_from(["datetime", "start_datetime", "end_datetime"]))
    at = datetime.fromisoformat(properties.get(name) or properties["datetime"])
    beside = st.sampled_from([0, 0, 1, -1, 1000, 3_600_000_000, -86_400_000_000])
    return at + timedelta(microseconds=draw(beside))


@st.composite
def _written(draw: st.DrawFn, at: datetime) -> str:
    hours = draw(st.sampled_from([0, 0, 0, 2, -5]))
    if hours:
        return at.astimezone(timezone(timedelta(hours=hours))).isoformat(timespec="microseconds")
    text = f"{at:%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "Z"
    return text.lower() if draw(st.integers(0, 5)) == 0 else text


@st.composite
def _sortby(draw: st.DrawFn, world: World, collections: Sequence[str]) -> list[Json]:
    """Draw an order that all catalogues asked have; most searches ask for none."""
    known = [world.sortables[name] for name in collections if name in world.sortables]
    common = sorted(frozenset.intersection(*known)) if known else ["datetime"]
    if draw(st.booleans()):
        return []
    name = draw(st.sampled_from(["datetime", *common]))
    prefix = draw(st.sampled_from(["", "properties."]))
    return [{"field": f"{prefix}{name}", "direction": draw(st.sampled_from(["asc", "desc"]))}]
