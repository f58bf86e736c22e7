"""Run the fault table and print it: `python -m conformance.faults [--full] [pytest options]`.

With `--full` the rows that have a long form (an hour's download, a thousand slow readers) run that.
Ends with 1 where a row fails, or is held by nothing.
"""

import os
import re
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conformance.faults import FULL

ROOT = Path(__file__).parents[2]
PLACES = ("conformance/faults", "conformance/orders")
NAME = re.compile(r"::test_f(\d+)_(\w+)(\[.+\])?$")


@dataclass(eq=False)
class Table:
    """A pytest plug-in that keeps what became of each row's tests. `held_by` names tests of other places."""

    rows: dict[int, str]
    held_by: dict[int, list[str]]
    not_applicable: dict[int, str]
    claims: dict[tuple[int, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls) -> "Table":
        """Return the table of `rows.toml`."""
        tables = tomllib.loads(Path(__file__).with_name("rows.toml").read_text(encoding="utf-8"))
        rows, held_by, not_applicable = (
            {int(row): told for row, told in tables[name].items()}
            for name in ("rows", "held_by", "not_applicable")
        )
        return cls(rows, held_by, not_applicable)

    def places(self) -> list[str]:
        """Return what pytest is to run; a file once, however many rows name it."""
        return [*PLACES, *dict.fromkeys(place for places in self.held_by.values() for place in places)]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out tests of `PLACES` that belong to no row."""
        items[:] = [item for item in items if self.of(item.nodeid)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of one phase of a test: a failed set-up counts, a passed one does not."""
        if report.when == "call" or report.outcome != "passed":
            for row, claim in self.of(report.nodeid):
                self.claims[row, claim].append(report.outcome)

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
            claims = {claim: found for (number, claim), found in self.claims.items() if number == row}
            told.append(f"{row:>3}  {self.outcome(row):<7}  {title}")
            if row in self.not_applicable:
                told[-1] += f" (not applicable: {self.not_applicable[row]})"
            told += [f"     {_word(found):<7}    {claim} ({len(found)})" for claim, found in claims.items()]
        return told

    def outcome(self, row: int) -> str:
        """Return what came of a row."""
        found = [outcome for (number, _), some in self.claims.items() if number == row for outcome in some]
        if not found:
            return "n/a" if row in self.not_applicable else "MISSING"
        return _word(found)


def _word(outcomes: list[str]) -> str:
    if "failed" in outcomes:
        return "FAIL"
    return "pass" if "passed" in outcomes else "skipped"


def main(arguments: list[str]) -> int:
    """Run the table with options of pytest, print it, and return how it ended."""
    if "--full" in arguments:
        arguments = [argument for argument in arguments if argument != "--full"]
        os.environ[FULL] = "1"
    os.chdir(ROOT)
    table = Table.read()
    options = ["-q", "--no-header", "-p", "no:cacheprovider", *table.places(), *arguments]
    code = int(pytest.main(options, plugins=[table]))
    print("\nrow  outcome  what goes wrong, and what must hold (cases)")
    print("\n".join(table.lines()))
    outcomes = [table.outcome(row) for row in table.rows]
    print(", ".join(f"{outcomes.count(word)} {word}" for word in dict.fromkeys(outcomes)))
    return code or int("MISSING" in outcomes)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
