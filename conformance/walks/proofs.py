"""The walks: each id once on an archive that rests, none lost on one that grows, in memory that does not."""

from pathlib import Path

import pystac_client
import requests
from pystac_client import Client

from conformance.walks.servers import Bridge, Site, bridge, publish, simulator, with_limits
from conformance.walks.walking import Json, check, walk
from stacbridge.simulators.archive import Archive
from stacbridge.simulators.publishing import Published

ENDINGS = (".SAFE", ".SEN3", ".nc", ".DEM")
BURSTS = "sentinel-1-slc-bursts"
TERRASCOPE = "terrascope-s2-toc-v2"
TERRASCOPE_ELEVATION = "cop-dem-glo-30m-cog"
ALIKE = "cop-dem"
ELEVATION = ("Copernicus_DSM", "DEM1_")
"""Collections whose products all have one time begin so, and names of these products."""


def cdse(size: int, limit: int, held: int, items: int) -> None:
    """Walk through all products of CDSE, by GET while nothing changes and by POST while `held` come in; page
    through `items` of them with pystac-client."""
    before, after = _names(size, held)
    with simulator("cdse", size=size, held=held) as site, bridge("cdse", site) as running:
        search = {"collections": _collections(running), "limit": limit}
        client(running, items)
        resting = walk(f"cdse, GET, limit {limit}", running, search, "GET")
        check(resting.again == 0, f"{resting.again} items came again")
        _complete({id for _, id in resting.met}, before, before)
        _growing(running, site, search, held, before, after)


def alike(size: int, limit: int, held: int, folder: Path, at_once: str | None = None, **limits: int) -> None:
    """Walk through the tiles of an elevation model, most of which begin at one time, while nothing changes
    and while `held` products come in; with `at_once`, they have all their times in common."""
    own = with_limits("cdse", folder, **limits)
    before, after = (_elevation(names) for names in _names(size, held))
    with (
        simulator("cdse", size=size, held=held, at_once=at_once) as site,
        bridge("cdse", site, own) as running,
    ):
        names = [name for name in _collections(running) if name.startswith(ALIKE)]
        search = {"collections": names, "limit": limit}
        title = "cdse, many of one time" + (" in all respects" if at_once else "")
        found = walk(title, running, search, "POST")
        check(found.again == 0, f"{found.again} items came again")
        _complete({id for _, id in found.met}, before, before)
        _growing(running, site, search, held, before, after)


def _elevation(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(ELEVATION)}


def _growing(running: Bridge, site: Site, search: Json, held: int, before: set[str], after: set[str]) -> None:
    share = max(1, held // 20)
    grown = walk(f"cdse, POST, {held} coming in", running, search, "POST", lambda: publish(site, share))
    _complete({id for _, id in grown.met}, before, after)


def _complete(found: set[str], least: set[str], most: set[str]) -> None:
    check(least <= found, f"{len(least - found)} products are lost, such as {sorted(least - found)[:3]}")
    check(found <= most, f"{len(found - most)} items are of no product, such as {sorted(found - most)[:3]}")


def _collections(running: Bridge) -> list[str]:
    listed = requests.get(f"{running.url}/collections", timeout=60).json()["collections"]
    return [collection["id"] for collection in listed if collection["id"] != BURSTS]


def _names(size: int, held: int) -> tuple[set[str], set[str]]:
    """Return the ids of all products that are there at first, and in the end."""
    names = Archive(size).names
    return _ids(names[Published(size, held).mask].tolist()), _ids(names.tolist())


def _ids(names: list[str]) -> set[str]:
    ids = {_id(name) for name in names}
    check(len(ids) == len(names), "the archive has two products of one name; choose another size")
    return ids


def _id(name: str) -> str:
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


def sedas(size: int, limit: int, held: int, at_once: int = 0) -> None:
    """Walk through all products of SeDAS, whose answers hold 100 and have no next page; `at_once` of them
    start at one time."""
    options = {"size": size, "held": held, "at_once": at_once}
    with simulator("sedas", **options) as site, bridge("sedas", site) as running:
        search, title = {"limit": limit}, f"sedas, {at_once} at once" if at_once else "sedas"
        resting = walk(f"{title}, GET", running, search, "GET")
        check(resting.again == 0, f"{resting.again} items came again")
        share = max(5, held // 10)
        grown = walk(
            f"{title}, POST, {held} coming in", running, search, "POST", lambda: publish(site, share)
        )
        check(resting.met <= grown.met, f"{len(resting.met - grown.met)} items are lost")
        whole = walk(f"{title}, POST, afterwards", running, search, "POST")
        check(grown.met <= whole.met and whole.again == 0, "items come and go")
        check(len(whole.met) >= size * 0.99 + at_once, f"{len(whole.met)} items of {size + at_once} products")


def terrascope(size: int, limit: int, depth: int, folder: Path) -> None:
    """Walk through a collection of Terrascope that is larger than one can page through there."""
    own = with_limits("terrascope", folder, depth=depth)
    with simulator("terrascope", size=size, depth=depth) as site, bridge("terrascope", site, own) as running:
        search = {"collections": [TERRASCOPE], "limit": limit}
        found = walk(f"terrascope, POST, one can page to {depth}", running, search, "POST")
        check((len(found.met), found.again) == (size, 0), f"{len(found.met)} of {size}, {found.again} again")


def instant(size: int, limit: int, held: int, depth: int, folder: Path) -> None:
    """Walk through a collection of Terrascope whose products all begin at one time, and that is larger than
    one can page through there, while nothing changes and while `held` products come in."""
    own = with_limits("terrascope", folder, depth=depth)
    options = {"size": 100, "depth": depth, "at_once": size, "held": held}
    with simulator("terrascope", **options) as site, bridge("terrascope", site, own) as running:
        search = {"collections": [TERRASCOPE_ELEVATION], "limit": limit}
        title = f"terrascope, all of one time, one can page to {depth}"
        resting = walk(title, running, search, "POST")
        there = size - held
        check(
            (len(resting.met), resting.again) == (there, 0),
            f"{len(resting.met)} of {there}, {resting.again} again",
        )
        share = max(1, held // 20)
        grown = walk(f"{title}, {held} coming in", running, search, "POST", lambda: publish(site, share))
        check(resting.met <= grown.met, f"{len(resting.met - grown.met)} items are lost")


def client(running: Bridge, items: int) -> None:
    """Page with pystac-client, by GET and by POST."""
    collections = ["sentinel-2-l1c", "sentinel-2-l2a"]
    for method in ("GET", "POST"):
        search = Client.open(running.url).search(
            method=method, collections=collections, limit=items // 10, max_items=items
        )
        ids = [item["id"] for item in search.items_as_dicts()]
        check(len(set(ids)) == len(ids) == items, f"{len(set(ids))} ids among {len(ids)} items")
        version = pystac_client.__version__
        print(f"pystac-client {version}, {method}: {len(ids)} items, each once", flush=True)
