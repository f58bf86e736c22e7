"""Documentation that cannot rot: what the code says is generated, what people read is checked."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from stacbridge.cli import COMMANDS
from stacbridge.loading import load
from stacbridge.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
SHIPPED = sorted(path.stem for path in (ROOT / "stacbridge" / "catalogues").glob("*.toml"))


def test_the_reference_is_what_the_code_says() -> None:
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}Run: python docs/generate.py"


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "--site-dir", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "tutorial" / "index.html").exists()


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command: str) -> None:
    assert f"## stacbridge {command}\n" in (DOCS / "reference" / "cli.md").read_text()


def test_every_command_in_the_reference_takes_both_options_for_help() -> None:
    for told in (DOCS / "reference" / "cli.md").read_text().split("\n## ")[1:]:
        assert "-h, --help " in told


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    assert [page.name for page in PAGES if str(page.relative_to(DOCS)) not in navigation] == []


TOML = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in [ROOT / "README.md", *PAGES]
    for number, block in enumerate(re.findall(r"^```toml\n(.*?)^```$", page.read_text(), re.M | re.S))
]


@pytest.mark.parametrize("block", TOML)
def test_a_catalogue_that_a_page_shows_loads_as_printed(block: str, tmp_path: Path) -> None:
    shown = tomllib.loads(block)
    if "dialect" in shown:
        (tmp_path / f"{shown['id']}.toml").write_text(block)
        load(shown["id"], Settings(catalogue_folder=tmp_path)).close()


def cells(catalogue: str, name: str) -> list[list[str]]:
    """Return the rows of a property in the page of a catalogue's mapping."""
    lines = (DOCS / "reference" / f"{catalogue}.md").read_text().splitlines()
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith(f"| `{name}`")
    ]


@pytest.mark.parametrize("catalogue", SHIPPED)
def test_every_shipped_catalogue_has_the_table_of_its_mapping(catalogue: str) -> None:
    assert cells(catalogue, "product:type")


def test_the_table_of_sedas_tells_what_is_sent_from_what_is_only_checked() -> None:
    assert {row[3] for row in cells("sedas", "eo:cloud_cover")} == {"`=` `<` `<=` `>` `>=` `BETWEEN`"}
    assert [row[3:5] for row in cells("sedas", "grid:code")] == [
        ["", "`=` `<>` `<` `<=` `>` `>=` `BETWEEN` `IN` `LIKE` `CASEI(…) =` `IS NULL`"]
    ]


def test_the_table_of_an_opensearch_catalogue_names_the_parameter_that_is_asked() -> None:
    (row,) = cells("terrascope", "published")
    assert row[3:6] == [row[3], "`publicationDate`", row[3]]
    assert "`BETWEEN`" in row[3]


def test_the_table_of_maap_pushes_text_of_no_listed_values_without_regard_to_case_only() -> None:
    (row,) = cells("maap", "product:type")
    assert row[4] == "`CASEI(…) =`"
