"""Upstreams over HTTP that take a second each, of which one hangs, one is down and one answers rubbish."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import orjson
import pytest

from stacbridge.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from stacbridge.federation import Federation
from stacbridge.mapping.mapping import load as load_mapping
from stacbridge.model import Json, Query
from stacbridge.settings import Settings
from stacbridge.upstream import Upstream
from tests.servers import Answer, Seen, serving
from tests.unit.toy_archive import Numbers, record

ROOT = "http://bridge.example"
SECOND = 1.0
PATIENCE = 10

TOML = """
id = "{id}"
title = "Toy {id}"
dialect = "odata"

[access]
flow = "none"

[limits]
connections = 4

[names]
strip = [".SAFE"]

[[field]]
stac = "datetime"
from = "ContentDate/Start"
type = "DateTimeOffset"

[family]
name = "TOY"
license = "other"

[[collection]]
id = "toys-of-{id}"
title = "Toys"
description = "Toys."
match = {{ productType = ["TOY"] }}
"""


class Slow:
    """An upstream that answers after a second, unless it has another `mood`."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.mood = "well"
        self.go = Event()
        self.asked: list[str] = []

    def __call__(self, seen: Seen) -> Answer | None:
        self.asked.append(seen.path)
        match self.mood:
            case "down":
                return None
            case "rubbish":
                return Answer(body=b"<html>Welcome!</html>", headers={"Content-Type": "text/html"})
            case "hanging":
                assert self.go.wait(PATIENCE)
            case _:
                Event().wait(SECOND)
        return Answer(body=orjson.dumps({"value": [self.record(number) for number in range(2)]}))

    def record(self, number: int) -> Json:
        return record(number, Name=f"{self.id}_{number}.SAFE")


@contextmanager
def upstreams(folder: Path, *ids: str) -> Iterator[tuple[Federation, dict[str, Slow]]]:
    settings = Settings(catalogue_folder=folder, retries=0)
    slow = {id: Slow(id) for id in ids}
    with ExitStack() as stack:
        catalogues = []
        for id, service in slow.items():
            (folder / f"{id}.toml").write_text(TOML.format(id=id))
            url = stack.enter_context(serving(service)).url
            catalogues.append(Upstream(load_mapping(id, settings), Numbers(url), settings))
            stack.callback(catalogues[-1].close)
        federation = Federation(catalogues, settings)
        stack.callback(federation.close)
        for service in slow.values():
            stack.callback(service.go.set)
        yield federation, slow


def ids(items: list[Json]) -> list[str]:
    return sorted(item["id"] for item in items)


def test_the_others_items_come_in_their_own_time_and_the_late_ones_with_the_next_page(tmp_path: Path) -> None:
    with upstreams(tmp_path, "well", "hanging", "down", "rubbish") as (federation, slow):
        warm = federation.search(Query(limit=50), None, ROOT)
        assert len(warm.items) == 8
        usual = max(warm.seconds.values())
        for id, service in slow.items():
            service.mood = id
            service.asked.clear()

        start = time.monotonic()
        first = federation.search(Query(limit=40), None, ROOT)
        took = time.monotonic() - start
        assert took < 1.2 * max(usual, first.seconds["well"])
        assert ids(first.items) == ["well_0", "well_1"]
        assert {id: type(why) for id, why in first.missing.items()} == {
            "hanging": UpstreamTimeout,
            "down": UpstreamUnavailable,
            "rubbish": UpstreamError,
        }

        slow["hanging"].go.set()
        slow["down"].mood = slow["rubbish"].mood = "well"
        second = federation.search(Query(limit=40), first.token, ROOT)
        assert ids(second.items) == [f"{id}_{n}" for id in ("down", "hanging", "rubbish") for n in range(2)]
        assert (second.token, second.missing) == (None, {})
        assert {id: len(service.asked) for id, service in slow.items()} == {
            "well": 1,
            "hanging": 1,
            "down": 2,
            "rubbish": 2,
        }


def test_the_same_search_by_many_is_asked_once_and_remembered(tmp_path: Path) -> None:
    with upstreams(tmp_path, "one") as (federation, slow), ThreadPoolExecutor(8) as clients:
        slow["one"].mood = "hanging"
        pages = [clients.submit(federation.search, Query(), None, ROOT) for _ in range(8)]
        slow["one"].go.set()
        assert all(len(page.result(PATIENCE).items) == 2 for page in pages)
        federation.search(Query(), None, ROOT, ready=True)
        assert len(slow["one"].asked) == 1


@pytest.mark.parametrize("mood", ["down", "rubbish"])
def test_failures_are_not_remembered(tmp_path: Path, mood: str) -> None:
    with upstreams(tmp_path, "one") as (federation, slow):
        slow["one"].mood = mood
        with pytest.raises(UpstreamError):
            federation.search(Query(), None, ROOT)
        slow["one"].mood = "hanging"
        slow["one"].go.set()
        assert len(federation.search(Query(), None, ROOT).items) == 2
