"""Run the fault table and print it: `python -m conformance.faults [--full] [pytest options]`.

With `--full` the rows that have a long form (an hour's download, a thousand slow readers) run that.
Ends with 1 where a row fails, or is held by nothing.
"""

import os
import re
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conformance.faults import FULL

ROOT = Path(__file__).parents[2]
PLACES = ("conformance/faults", "conformance/orders")
NAME = re.compile(r"::test_f(\d+)_(\w+)(\[.+\])?$")


@dataclass(eq=False)
class Claim:
    """What became of the cases of one test, or of the tests in one place elsewhere."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    reasons: dict[str, None] = field(default_factory=dict)
    """Why cases were skipped."""

    @property
    def word(self) -> str:
        """Say it in a word: "part" is some skipped among others that passed."""
        if not self.outcomes:
            return "MISSING"
        if self.outcomes["failed"]:
            return "FAIL"
        if not self.outcomes["skipped"]:
            return "pass"
        return "part" if self.outcomes["passed"] else "skipped"

    def add(self, other: "Claim") -> None:
        """Add what became of further cases."""
        self.outcomes += other.outcomes
        self.seconds += other.seconds
        self.reasons |= other.reasons

    def note(self, report: pytest.TestReport) -> None:
        """Note one phase of a test: a failed set-up counts, a passed one does not."""
        self.seconds += report.duration
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1
        if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
            self.reasons[report.longrepr[2].removeprefix("Skipped: ")] = None


@dataclass(eq=False)
class Table:
    """A pytest plug-in that keeps what became of each row's tests. `held_by` names tests of other places.

    A row without a test of its own is missing, and so is one of whose tests elsewhere none was run.
    """

    rows: dict[int, str]
    held_by: dict[int, list[str]]
    claims: dict[int, dict[str, Claim]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Expect something of every place that is named."""
        self.claims = {row: {place: Claim() for place in self.held_by.get(row, ())} for row in self.rows}

    @classmethod
    def read(cls) -> "Table":
        """Return the table of `rows.toml`."""
        tables = tomllib.loads(Path(__file__).with_name("rows.toml").read_text(encoding="utf-8"))
        rows, held_by = (
            {int(row): told for row, told in tables[name].items()} for name in ("rows", "held_by")
        )
        return cls(rows, held_by)

    def places(self) -> list[str]:
        """Return what pytest is to run; a file once, however many rows name it."""
        return [*PLACES, *dict.fromkeys(place for places in self.held_by.values() for place in places)]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out tests of `PLACES` that belong to no row."""
        items[:] = [item for item in items if self.of(item.nodeid)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of one phase of a test."""
        for row, claim in self.of(report.nodeid):
            self.claims[row].setdefault(claim, Claim()).note(report)

    def of(self, nodeid: str) -> list[tuple[int, str]]:
        """Return the rows that a test belongs to, and its claim or its file there."""
        found = [
            (row, place)
            for row, places in self.held_by.items()
            for place in places
            if nodeid == place or nodeid.startswith((f"{place}::", f"{place}["))
        ]
        match = NAME.search(nodeid)
        return [*found, (int(match[1]), match[2].replace("_", " "))] if match else found

    def lines(self) -> list[str]:
        """Return the table: a line for each row, and below it one for each claim."""
        told: list[str] = []
        for row, title in self.rows.items():
            found = self.found(row)
            told.append(f"{row:>3}  {self.outcome(row):<7} {found.seconds:>7.1f} s  {title}")
            for claim, each in self.claims[row].items():
                cases = "; ".join([str(each.outcomes.total()), *map("skipped: {}".format, each.reasons)])
                told.append(f"     {each.word:<7} {each.seconds:>7.1f} s    {claim} ({cases})")
        return told

    def found(self, row: int) -> Claim:
        """Return what became of all tests of a row."""
        found = Claim()
        for each in self.claims[row].values():
            found.add(each)
        return found

    def outcome(self, row: int) -> str:
        """Return what came of a row."""
        own = self.claims[row].keys() - set(self.held_by.get(row, ()))
        if not own or any(each.word == "MISSING" for each in self.claims[row].values()):
            return "MISSING"
        return self.found(row).word


def main(arguments: list[str]) -> int:
    """Run the table with options of pytest, print it, and return how it ended."""
    if "--full" in arguments:
        arguments = [argument for argument in arguments if argument != "--full"]
        os.environ[FULL] = "1"
    os.chdir(ROOT)
    table = Table.read()
    options = ["-q", "--no-header", "-p", "no:cacheprovider", *table.places(), *arguments]
    started = time.monotonic()
    code = int(pytest.main(options, plugins=[table]))
    print("\nrow  outcome       time  what goes wrong, and what must hold (cases)")
    print("\n".join(table.lines()))
    outcomes = Counter(table.outcome(row) for row in table.rows)
    told = ", ".join(f"{count} {word}" for word, count in outcomes.items())
    print(f"{len(table.rows)} rows in {time.monotonic() - started:.0f} s: {told}")
    return code or int("MISSING" in outcomes)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
