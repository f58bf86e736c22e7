"""Which database the settings name."""

import os
from pathlib import Path

from stacbridge.errors import Misconfigured, StoreUnavailable
from stacbridge.orders.database import Database
from stacbridge.orders.sqlite import PLACE, SQLite
from stacbridge.settings import Settings

STATE = "~/.local/state"
"""Where programs keep what outlives them, unless `XDG_STATE_HOME` says so."""
FILE = "sqlite:///"
SERVER = ("postgresql://", "postgres://")


def exists(settings: Settings) -> bool:
    """Tell whether there may be orders already: a database has been set up, or the file is there."""
    url = _url(settings)
    return not url.startswith(FILE) or _file(url).exists()


def check_store(settings: Settings) -> None:
    """Open the book that is there, and close it; look whether one that was set could be made.

    Raises as `open_store` and `check_place`. Whether a book that nobody set could be made is told by
    readiness only: it may never be needed.
    """
    if exists(settings):
        open_store(settings).close()
    elif settings.order_store is not None:
        check_place(settings)


def check_place(settings: Settings) -> None:
    """Raise `StoreUnavailable` where the book's file, which is not there yet, could not be made."""
    file = _file(_url(settings))
    folder = next(parent for parent in file.parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise StoreUnavailable(
            f"The order book {file} cannot be made: {folder} cannot be written.", advice=PLACE
        )


def is_server(settings: Settings) -> bool:
    """Tell whether the database is one that several machines share."""
    return _url(settings).startswith(SERVER)


def open_store(settings: Settings) -> Database:
    """Open the database. Raises `Misconfigured`, and `StoreUnavailable` where it does not answer."""
    url = _url(settings)
    if url.startswith(FILE):
        return SQLite(_file(url))
    if url.startswith(SERVER):
        try:
            from stacbridge.orders.postgres import PostgreSQL
        except ImportError:
            raise Misconfigured(
                "order_store names PostgreSQL, for which a library is missing.",
                advice="Install stacbridge[postgres].",
            ) from None
        return PostgreSQL(url, settings.order_connections, settings.order_store_timeout)
    raise Misconfigured(
        f"order_store must start with {FILE} or {SERVER[0]}.",
        advice=f"Write a file with four slashes: {FILE}/var/lib/stacbridge/orders.sqlite.",
    )


def _url(settings: Settings) -> str:
    if settings.order_store is not None:
        return settings.order_store.get_secret_value()
    state = os.environ.get("XDG_STATE_HOME", "")
    return f"{FILE}{state if os.path.isabs(state) else STATE}/stacbridge/orders.sqlite"


def _file(url: str) -> Path:
    return Path(url.removeprefix(FILE)).expanduser()
