"""The fault table counts what was run, and nothing else."""

import re
from pathlib import Path
from typing import Any, Literal

import pytest

from conformance.faults.__main__ import PLACES, ROOT, Table

Outcome = Literal["passed", "failed", "skipped"]
OWN = "conformance/faults/test_logins.py::test_f07_it_holds"
ELSEWHERE = "tests/unit/test_it.py"


def table(held_by: dict[int, list[str]] | None = None) -> Table:
    return Table({7: "A row"}, held_by or {})


def reported(made: Table, nodeid: str, *outcomes: Outcome, when: Literal["setup", "call"] = "call") -> str:
    """Report cases of a test; return what came of the row."""
    for number, outcome in enumerate(outcomes):
        why: Any = ("file", 1, "Skipped: no such thing here") if outcome == "skipped" else None
        name = f"{nodeid}[{number}]"
        made.pytest_runtest_logreport(
            pytest.TestReport(name, ("file", 1, "test"), {}, outcome, why, when, duration=0.5)
        )
    return made.outcome(7)


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        (["passed", "passed"], "pass"),
        (["passed", "failed", "skipped"], "FAIL"),
        (["passed", "skipped"], "part"),
        (["skipped", "skipped"], "skipped"),
        ([], "MISSING"),
    ],
)
def test_a_row_is_as_good_as_the_worst_of_its_cases(outcomes: list[Outcome], word: str) -> None:
    assert reported(table(), OWN, *outcomes) == word


def test_a_set_up_that_fails_fails_the_row_and_one_that_passes_is_no_case() -> None:
    made = table()
    assert reported(made, OWN, "passed", when="setup") == "MISSING"
    assert reported(made, OWN, "failed", when="setup") == "FAIL"


def test_tests_elsewhere_do_not_stand_in_for_one_of_the_rows_own_and_must_have_run() -> None:
    made = table({7: [ELSEWHERE, "tests/unit/test_gone.py::test_it"]})
    assert reported(made, f"{ELSEWHERE}::test_a", "passed") == "MISSING"
    assert reported(made, OWN, "passed") == "MISSING"
    assert reported(made, "tests/unit/test_gone.py::test_it", "passed") == "pass"


def test_the_time_and_what_was_skipped_are_told() -> None:
    made = table()
    reported(made, OWN, "passed", "skipped")
    row, claim = made.lines()
    assert row.split() == ["7", "part", "1.0", "s", "A", "row"]
    assert claim.split(maxsplit=3)[3] == "it holds (2; skipped: no such thing here)"


def test_every_row_has_a_test_of_its_own_and_every_test_a_row() -> None:
    files = [file for place in PLACES for file in (ROOT / place).rglob("test_*.py")]
    numbers = {
        int(found) for file in files for found in re.findall(r"^def test_f(\d+)_", file.read_text(), re.M)
    }
    assert numbers == Table.read().rows.keys()


def test_every_place_that_is_named_is_there() -> None:
    for place in Table.read().places():
        file, _, name = place.partition("::")
        assert (ROOT / file).exists(), place
        assert not name or f"def {name}(" in Path(ROOT / file).read_text(), place
