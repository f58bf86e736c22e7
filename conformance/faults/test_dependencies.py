"""Row 65: what is installed is what is locked, byte for byte, and what is locked can be audited."""

import os
import re
import subprocess
import tomllib
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import orjson
import pytest

from stacbridge.model import Json
from tests.servers import Answer, Seen, serving

ROOT = Path(__file__).parents[2]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
LIBRARIES: list[dict[str, Any]] = [each for each in LOCK["package"] if "editable" not in each["source"]]
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is none: nothing beyond loopback can be asked."""
FLOORS = {
    "starlette": (1, 3, 1),
    "requests": (2, 32, 4),
    "urllib3": (2, 7),
    "orjson": (3, 11, 6),
    "h11": (0, 16),
    "aiohttp": (3, 14),
}
"""The first versions without flaws that would reach this bridge: paths made of the Host header (starlette
CVE-2026-48710), credentials that follow redirects or netrc (requests, urllib3), deep JSON (orjson), and
requests that hide others (h11)."""


def uv(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["uv", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", FLOORS)
def test_f65_no_library_is_locked_below_its_known_flaws(name: str) -> None:
    locked = [package["version"] for package in LIBRARIES if package["name"] == name]
    assert locked
    for version in locked:
        assert tuple(int(part) for part in version.split(".")[:3]) >= FLOORS[name]


def test_f65_the_lock_holds_what_the_project_asks_for() -> None:
    done = uv("lock", "--check", "--offline")
    assert done.returncode == 0, done.stderr


def test_f65_every_file_of_every_library_is_fixed_by_its_sha256_and_none_is_from_a_repository() -> None:
    for package in LIBRARIES:
        assert package["source"].keys() == {"registry"}, package["name"]
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files and all(file["hash"].startswith("sha256:") for file in files), package["name"]


def test_f65_these_tests_ran_with_what_is_locked() -> None:
    locked: dict[str, set[str]] = {}
    for package in LIBRARIES:  # some in two versions, for two versions of Python
        locked.setdefault(package["name"], set()).add(package["version"])
    installed = {re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each for each in distributions()}
    shared = locked.keys() & installed.keys()
    assert len(shared) > len(locked) // 2
    assert [name for name in shared if installed[name].version not in locked[name]] == []


@pytest.mark.parametrize("flawed", [None, "urllib3", "import-linter"])
def test_f65_the_audit_asks_for_every_locked_library_and_fails_on_an_advisory(
    flawed: str | None, tmp_path: Path
) -> None:
    asked: list[tuple[str, str]] = []
    advisory: Json = {"id": "CANARY-1", "modified": "2026-01-01T00:00:00Z"}

    def service(seen: Seen) -> Answer:
        if seen.method == "GET":
            return Answer(body=orjson.dumps({**advisory, "summary": "A flaw.", "affected": []}))
        queries = orjson.loads(seen.body)["queries"]
        asked.extend((query["package"]["name"], query["version"]) for query in queries)
        results = [{"vulns": [advisory]} if q["package"]["name"] == flawed else {} for q in queries]
        return Answer(body=orjson.dumps({"results": results}))

    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
    with serving(service) as advisories:
        done = uv(
            *("audit", "--locked", "--service-url", advisories.url),
            **proxies,
            NO_PROXY="127.0.0.1",
            UV_HTTP_RETRIES="0",
            UV_CACHE_DIR=str(tmp_path),
        )
    assert sorted(asked) == sorted((package["name"], package["version"]) for package in LIBRARIES)
    assert done.returncode == (0 if flawed is None else 1), done.stdout + done.stderr
    assert ("CANARY-1" in done.stdout + done.stderr) == (flawed is not None)


def test_f65_no_locked_library_has_an_advisory() -> None:
    if not os.environ.get("STACBRIDGE_ONLINE"):
        pytest.skip("the database of advisories is online: set STACBRIDGE_ONLINE=1 where it can be reached")
    done = uv("audit", "--locked")
    assert done.returncode == 0, done.stdout + done.stderr
