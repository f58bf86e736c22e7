"""Run the fault table and print it: `python -m conformance.faults [pytest options]`."""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
NAME = re.compile(r"test_f(\d+)_(\w+)(\[.+\])?$")


@dataclass
class Table:
    """A pytest plug-in that keeps what became of each row's tests."""

    rows: dict[tuple[int, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of one phase of a test: a failed set-up counts, a passed one does not."""
        match = NAME.search(report.nodeid)
        if match and (report.when == "call" or report.outcome != "passed"):
            self.rows[int(match[1]), match[2].replace("_", " ")].append(report.outcome)

    def lines(self) -> list[str]:
        """Return the table, a line for each claim of each row."""
        return [
            f"{row:>3}  {_word(outcomes):<7}  {claim} ({len(outcomes)})"
            for (row, claim), outcomes in sorted(self.rows.items(), key=lambda entry: entry[0][0])
        ]


def _word(outcomes: list[str]) -> str:
    if "failed" in outcomes:
        return "FAIL"
    return "pass" if "passed" in outcomes else "skipped"


def main() -> int:
    table = Table()
    options = [
        "-q",
        "--no-header",
        "-p",
        "no:cacheprovider",
        str(FOLDER),
        str(FOLDER.parent / "orders"),
        *sys.argv[1:],
    ]
    code = pytest.main(options, plugins=[table])
    print("\nrow  outcome  what must hold (cases)")
    print("\n".join(table.lines()))
    return int(code)


if __name__ == "__main__":
    raise SystemExit(main())
