"""Tests stay away from whoever runs them: from their home, their settings and their keyring."""

import atexit
import os
import pwd
import sys
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

TESTS = ("STACBRIDGE_RECORDINGS", "STACBRIDGE_SCHEMAS", "STACBRIDGE_ONLINE")
"""What the tests themselves read."""
OWN = Path(os.environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir)
FORBIDDEN = (str(OWN / ".local/state/stacbridge"), str(OWN / ".config/stacbridge"))
"""Where orders, accounts, sessions and keys of whoever runs the tests would be."""
TOOLS = {"XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share"}
"""Where tools such as uv find their settings and what they have fetched before."""


@cache
def leave() -> Path:
    """Have this process and all that it starts live in an empty home, and return it.

    What this process opens in the other one's places fails from now on.
    """
    home = Path(mkdtemp(prefix="stacbridge-home-"))
    atexit.register(rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("STACBRIDGE_") and name not in TESTS]:
        del os.environ[name]
    for name, place in TOOLS.items():
        os.environ.setdefault(name, str(OWN / place))
    os.environ.update(
        HOME=str(home),
        XDG_STATE_HOME=str(home / "state"),
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
        STACBRIDGE_KEEP_SESSIONS="false",  # accounts' sessions are shared where a test says so
    )
    sys.addaudithook(_refuse)
    return home


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("open", "os.mkdir", "sqlite3.connect") and str(arguments[0]).startswith(FORBIDDEN):
        raise PermissionError(f"A test wants {arguments[0]}, which is not its own.")
