"""Searches drawn, asked and compared, and what is to be said of all of them together."""

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from conformance.differential.archives import World
from conformance.differential.asking import Client, Different, Refused, Walk, compare, parameters
from conformance.differential.questions import Question, questions

REFUSED_AT_MOST = 0.02
"""The share of searches that may be too wide for the bounds."""
PROGRESS = 500
"""After how many searches counts are printed on the way."""
BATCH, BATCHES = 50, 1_000_000
"""Searches of one seed, which hypothesis makes alike, and seeds of one proof at most."""
DRAWING = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)


@dataclass(slots=True)
class Tally:
    """How many searches were drawn from `seed`, and what came of them."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    operators: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.perf_counter)

    @property
    def good(self) -> bool:
        """Whether nothing differs, and hardly anything was refused."""
        return not self.differences and self.counts["refused"] <= REFUSED_AT_MOST * self.counts["searches"]

    def note(self, walk: Walk) -> None:
        """Count an answer that is as expected."""
        self.counts["pages"] += walk.pages
        self.counts["items"] += len(walk.features)
        self.counts["with items"] += bool(walk.features)
        self.counts["walked to the end"] += walk.whole
        self.counts["with numberMatched"] += walk.matched is not None

    def differs(self, question: Question, difference: Exception) -> None:
        """Note a difference, and print it so that it can be asked again."""
        asked = f"GET {parameters(question)}" if question.method == "GET" else json.dumps(question.search)
        told = f"DIFFERENCE: {difference}\n  {asked}\n  as text: {question.as_text}"
        self.differences.append(told)
        print(told, file=sys.stderr, flush=True)

    def summary(self) -> str:
        """Return the seed and the counts."""
        seconds = time.perf_counter() - self.begun
        counts = ", ".join(f"{number} {name}" for name, number in sorted(self.counts.items()))
        used = ", ".join(f"{name} {number}" for name, number in sorted(self.operators.items()))
        return (
            f"seed {self.seed}: {counts}; {len(self.differences)} differences; {seconds:.0f} s\n"
            f"operators drawn: {used}"
        )


def prove(world: World, examples: int, start: int) -> Tally:
    """Draw so many different searches, and compare each answer with what is expected."""
    tally, client = Tally(start), Client(world.url)
    asked: set[str] = set()

    def ask(question: Question) -> None:
        written = repr(question)
        if written in asked or len(asked) >= examples:
            return
        asked.add(written)
        _count(tally, question)
        try:
            tally.note(compare(world, client, question))
        except Refused:
            tally.counts["refused"] += 1
        except Different as difference:
            tally.differs(question, difference)
        if len(asked) % PROGRESS == 0:
            print(tally.summary(), file=sys.stderr, flush=True)

    for batch in count(start * BATCHES):
        if len(asked) >= examples:
            return tally
        draw = given(question=questions(world))(ask)
        seed(batch)(settings(DRAWING, max_examples=BATCH)(draw))()
    raise AssertionError("there is always another batch")


def _count(tally: Tally, question: Question) -> None:
    tally.counts["searches"] += 1
    tally.counts["of all collections"] += not question.collections
    tally.counts[f"by {question.method}"] += 1
    for name in ("filter", "q", "bbox", "intersects", "datetime", "ids", "sortby"):
        tally.counts[f"with {name}"] += name in question.search
    tally.operators.update(_operators(question.search.get("filter")))


def _operators(node: object) -> list[str]:
    if isinstance(node, list):
        return [op for part in node for op in _operators(part)]
    if not isinstance(node, dict):
        return []
    own = [str(node["op"])] if "op" in node else []
    return own + _operators(node.get("args", []))
