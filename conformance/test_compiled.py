"""The image has compiled what runs for each record: it must do there what it does elsewhere.

Compiled code refuses values of another type than is written, where an interpreter looks no further, so what
tests find of the one says nothing of the other. Here run the tests that are closest to these modules; the
long form (docs/decisions/0020-compiled-translation.md) runs them all:

    HATCH_BUILD_HOOK_ENABLE_MYPYC=1 uv run --reinstall-package stacbridge --all-extras --all-groups pytest
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOOKS = ("tool", "hatch", "build", "targets", "wheel", "hooks")
CLOSEST = (
    "tests/catalogues",
    "tests/unit/catalogues",
    *[
        f"tests/unit/test_{name}.py"
        for name in ("items", "readers", "footprints", "geometry_issue", "listed")
    ],
    *[f"tests/unit/test_{name}.py" for name in ("archive", "odata", "odata_page", "odata_pushed", "records")],
)

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="there is no C compiler, or no header of this Python",
)


def compiled() -> list[str]:
    """Return the files that the image has compiled."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for part in HOOKS:
        found = found[part]
    return [name.removeprefix("/") for name in found["mypyc"]["include"]]


def run(tree: Path, *module: str) -> str:
    """Run a module in a tree, which comes before what is installed; return what it says."""
    environment = os.environ | {"HATCH_BUILD_HOOK_ENABLE_MYPYC": "1", "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, *module], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
    return done.stdout


def test_the_tests_closest_to_what_the_image_compiles_pass_there_too(tmp_path: Path) -> None:
    for folder in ("stacbridge", "tests", "conformance"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.so")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    run(tmp_path, "-m", "hatchling", "build", "--target", "wheel", "--hooks-only")
    modules = [name.removesuffix(".py").replace("/", ".") for name in compiled()]
    found = f"import {', '.join(modules)}; print(*[one.__file__ for one in [{', '.join(modules)}]])"
    loaded = run(tmp_path, "-c", found).split()
    assert loaded
    assert all(name.startswith(str(tmp_path)) and name.endswith(".so") for name in loaded)
    run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CLOSEST)
