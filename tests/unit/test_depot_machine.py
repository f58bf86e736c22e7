"""Two bridges at one bucket, in any order of uses, crashes, evictions and hours."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stacbridge.download.depot import LEFT_OVER, RECORD, Depot, Label
from stacbridge.errors import UpstreamError
from stacbridge.simulators.s3 import S3Simulator
from tests.unit.bucket_kit import PREFIX, Clock, bucket, objects

MOST = 10_000
LIFE = 50_000.0
BRIDGES = st.integers(0, 1)
KEYS = st.sampled_from("abcde")


class Bridges(RuleBasedStateMachine):
    """Two depots over one storage; `bytes` are what each version of a file is."""

    @initialize()
    def start(self) -> None:
        self.clock = Clock()
        self.folder = tempfile.TemporaryDirectory()
        self.storage = S3Simulator({}, writable=True, clock=self.clock).__enter__()
        self.bytes: dict[str, bytes] = {}
        self.objects = objects(self.storage, wall=self.clock)
        self.depots = [self.depot() for _ in range(2)]

    def teardown(self) -> None:
        self.storage.__exit__(None, None, None)
        self.folder.cleanup()

    @rule(number=BRIDGES, key=KEYS, size=st.integers(1, 4000))
    def use(self, number: int, key: str, size: int) -> None:
        """A bridge fetched a file anew, and another may have it in the bucket already."""
        version = str(len(self.bytes))
        label = Label(key, version, "cdse", "a.zip", "application/zip")
        content = self.bytes[label.name] = bytes([len(self.bytes) % 256]) * size
        path = Path(self.folder.name) / version
        path.write_bytes(content)
        try:
            self.depots[number].use(label, path, lambda: True)
        except UpstreamError as failure:
            assert "no room" in str(failure)

    @rule(number=BRIDGES, key=KEYS)
    def drop(self, number: int, key: str) -> None:
        """A bridge found a file to be wrong."""
        found = self.depots[number].find(key, "cdse")
        if found is not None:
            self.depots[number].drop(found)
            assert f"{PREFIX}{found.name}" not in self.storage.objects

    @rule(key=KEYS, record=st.booleans(), size=st.integers(1, 4000))
    def crash(self, key: str, record: bool, size: int) -> None:
        """A bridge was killed when half of a file was there."""
        name = f"{key}.crashed{len(self.bytes)}"
        self.bytes[name] = b"?" * size
        self.storage.shelf.put(f"{PREFIX}{name}{RECORD if record else ''}", {}, {}, b"?" * size)

    @rule(seconds=st.sampled_from([1, 60, LEFT_OVER + 1, LIFE + 1]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.now += seconds

    @rule(number=BRIDGES)
    def make_room(self, number: int) -> None:
        """A bridge looks after the limits: only halves that may still be written are more, or unpaired."""
        self.depots[number].make_room()
        modified, now = self.storage.shelf.modified, self.clock.now
        whole = {name for name in self.names() if {name, name + RECORD} <= self.names(records=True)}
        halves = [name for name in self.names(records=True) if name.removesuffix(RECORD) not in whole]
        assert all(now - modified[PREFIX + name] <= LEFT_OVER for name in halves)
        assert all(now - modified[PREFIX + name] <= LIFE for name in whole)
        held = sum(len(content) for content in self.storage.objects.values())
        assert held <= MOST or not whole

    @invariant()
    def what_is_found_is_whole(self) -> None:
        """Whoever asks, with nothing remembered, gets all bytes of one version."""
        if not hasattr(self, "depots"):
            return
        for key in {name.partition(".")[0] for name in self.names()}:
            found = self.depot().find(key, "cdse")
            if found is not None:
                assert self.storage.objects[f"{PREFIX}{found.name}"] == self.bytes[found.name]
                assert found.size == len(self.bytes[found.name])

    def depot(self) -> Depot:
        """Return what a bridge has of the bucket."""
        told = bucket(self.storage, most_bytes=MOST, seconds=LIFE)
        return Depot(told, self.objects, self.objects)

    def names(self, records: bool = False) -> set[str]:
        """Return the names of files in the bucket, or of all objects."""
        found = {path.removeprefix(PREFIX) for path in self.storage.objects}
        return found if records else {name for name in found if not name.endswith(RECORD)}


TestBridges: Any = Bridges.TestCase
TestBridges.settings = settings(deadline=None, max_examples=40, stateful_step_count=30)
