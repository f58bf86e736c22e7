"""The settings of a command, with mistakes told by the name of the setting."""

import json
import os
import re
import tomllib
from itertools import takewhile
from pathlib import Path
from tomllib import TOMLDecodeError

from pydantic import ValidationError
from pydantic_settings import SettingsError

from stacbridge.commands.variables import PREFIX, check_catalogues, check_variables
from stacbridge.errors import Misconfigured
from stacbridge.model import Json
from stacbridge.settings import SECRETS, Settings

SOURCES = "Settings come from the environment (STACBRIDGE_…) and from the file of --config."
OURS = "Value error, "
"""What pydantic puts before the sentences of our own checks."""
FIELD = re.compile(r'for field "(\w+)"')
"""Where pydantic says which setting it cannot parse."""
EVERYBODY = 0o007
"""Permission bits of those who are neither owner nor in its group."""
KEYS = ("secret", "signing_keys", "webhook_secret", "order_store")
"""Settings beside accounts that are, or hold, secrets."""


def load_settings(**given: object) -> Settings:
    """Read the settings; `given` ones win. Raises `Misconfigured` without ever repeating a value."""
    check_variables(os.environ)
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        told = error.errors(include_input=False)
        wrong = dict.fromkeys(f"{_name(each['loc'])}: {each['msg'].removeprefix(OURS)}" for each in told)
        raise Misconfigured(f"A setting is wrong. {'; '.join(wrong)}.", advice=SOURCES) from None
    except SettingsError as error:
        raise _no_json(error) from None
    except TOMLDecodeError as error:
        raise Misconfigured(f"The configuration file is not TOML: {error}.", advice=SOURCES) from None
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise Misconfigured(f"The configuration file is not UTF-8: {where}.", advice=SOURCES) from None
    _check_private()
    check_catalogues(settings)
    return settings


def _check_private() -> None:
    """Refuse a configuration file that holds secrets and that everybody on the machine may read."""
    file = Path(os.environ.get("STACBRIDGE_CONFIG", os.devnull))
    if os.name != "posix" or not file.is_file() or not file.stat().st_mode & EVERYBODY:
        return
    if _holds_secrets(tomllib.loads(file.read_text(encoding="utf-8"))):
        raise Misconfigured(
            f"{file} holds secrets, and everybody on this machine may read it.",
            advice=f"Run `chmod 600 {file}`; or keep secrets in the environment, those of accounts also in "
            "files of their own (`password_file`).",
        )


def _holds_secrets(table: Json) -> bool:
    accounts = table.get("credentials", {})
    held = accounts.values() if isinstance(accounts, dict) else ()
    tables = [table, *(each for each in (*held, table.get("spool_bucket")) if isinstance(each, dict))]
    return any(name in each for each in tables for name in (*SECRETS, *KEYS))


def _name(place: tuple[int | str, ...]) -> str:
    """Return the variable of a setting, up to a list: what is inside has no variable of its own."""
    return PREFIX + "__".join(takewhile(lambda part: isinstance(part, str), place)).upper()  # type: ignore[arg-type]


def _no_json(error: SettingsError) -> Misconfigured:
    """Return the failure of a variable that is read as JSON, and is none."""
    found = FIELD.search(str(error))
    if found is None:
        return Misconfigured(f"A setting is wrong: {error}.", advice=SOURCES)
    name, default = _name((found[1],)), Settings.model_fields[found[1]].default
    listed = json.dumps([*map(str, default or ())] or ["…"], ensure_ascii=False)
    example = '{"cdse": …}' if isinstance(default, dict) else listed
    return Misconfigured(f"{name} is not JSON.", advice=f"Write it like {name}='{example}'.")
