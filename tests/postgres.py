"""A PostgreSQL of the tests' own, where Debian's package is installed: a cluster that ends with the block."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from stacbridge.orders.database import Database

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


def waiting(database: Database) -> int:
    """The number of those who wait for a lock in a cluster."""
    with database.reading() as execute:
        found = execute("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        number: int = found[0]["n"]
    return number


class Line:
    """A line to a cluster that may go silent: what either side says is taken, and nobody hears it."""

    def __init__(self, cluster: str) -> None:
        self.silent = False
        self._place = f"{parse_qs(urlsplit(cluster).query)['host'][0]}/.s.PGSQL.5432"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        port = self._listening.getsockname()[1]
        self.url = f"postgresql://{USER}@127.0.0.1:{port}/postgres?sslmode=disable"

    def __enter__(self) -> "Line":
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._listening, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                server = socket.socket(socket.AF_UNIX)
                self._ends += client, server
                server.connect(self._place)
                for pair in ((client, server), (server, client)):
                    Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while data := here.recv(65536):
                if not self.silent:
                    there.sendall(data)
            there.shutdown(socket.SHUT_WR)


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
