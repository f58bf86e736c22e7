"""A PostgreSQL of the tests' own, where Debian's package is installed: a cluster that ends with the block."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

USER = "postgres"


def missing() -> str | None:
    """Return why there can be no cluster, if there cannot."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed (the extra `postgres`)"
    if _programs() is None:
        return "PostgreSQL is not installed (Debian's package `postgresql`)"
    return None


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster on a Unix socket alone; gives its URL."""
    programs = _programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="stacbridge-postgres-"))
    try:
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            shutil.chown(folder, USER)
        data, options = folder / "data", f"-k {folder} -c listen_addresses= -c max_connections=50"
        _run(programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        _run(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql://{USER}@/postgres?host={folder}"
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _run(*command: object) -> None:
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
    words = [str(word) for word in command]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60, **as_user)
