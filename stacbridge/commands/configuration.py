"""The settings of a command, with mistakes told by the name of the setting."""

import os
import tomllib
from pathlib import Path
from tomllib import TOMLDecodeError

from pydantic import ValidationError
from pydantic_settings import SettingsError

from stacbridge.errors import Misconfigured
from stacbridge.model import Json
from stacbridge.settings import SECRETS, Settings

SOURCES = "Settings come from the environment (STACBRIDGE_…) and from the file of --config."

EVERYBODY = 0o007
"""Permission bits of those who are neither owner nor in its group."""
KEYS = ("secret", "signing_keys", "webhook_secret", "order_store")
"""Settings beside accounts that are, or hold, secrets."""


def load_settings(**given: object) -> Settings:
    """Read the settings; `given` ones win. Raises `Misconfigured` without ever repeating a value."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = "; ".join(
            f"{_name(told['loc'])}: {told['msg']}" for told in error.errors(include_input=False)
        )
        raise Misconfigured(f"A setting is wrong. {wrong}.", advice=SOURCES) from None
    except SettingsError as error:
        raise Misconfigured(f"A setting is wrong: {error}.", advice=SOURCES) from None
    except TOMLDecodeError as error:
        raise Misconfigured(f"The configuration file is not TOML: {error}.", advice=SOURCES) from None
    except UnicodeDecodeError as error:
        told = f"The configuration file is not UTF-8: {error.reason} at byte {error.start}."
        raise Misconfigured(told, advice=SOURCES) from None
    _check_private()
    return settings


def _check_private() -> None:
    """Refuse a configuration file that holds secrets and that everybody on the machine may read."""
    file = Path(os.environ.get("STACBRIDGE_CONFIG", os.devnull))
    if os.name != "posix" or not file.is_file() or not file.stat().st_mode & EVERYBODY:
        return
    if _holds_secrets(tomllib.loads(file.read_text(encoding="utf-8"))):
        raise Misconfigured(
            f"{file} holds secrets, and everybody on this machine may read it.",
            advice=f"Run `chmod 600 {file}`, or keep the secrets in files of their own (`password_file`).",
        )


def _holds_secrets(table: Json) -> bool:
    accounts = table.get("credentials", {})
    held = accounts.values() if isinstance(accounts, dict) else ()
    tables = [table, *(each for each in (*held, table.get("spool_bucket")) if isinstance(each, dict))]
    return any(name in each for each in tables for name in (*SECRETS, *KEYS))


def _name(place: tuple[int | str, ...]) -> str:
    return "STACBRIDGE_" + "__".join(str(part) for part in place).upper()
