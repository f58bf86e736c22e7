"""The settings of a command, with mistakes told by the name of the setting."""

from tomllib import TOMLDecodeError

from pydantic import ValidationError
from pydantic_settings import SettingsError

from stacbridge.errors import Misconfigured
from stacbridge.settings import Settings

SOURCES = "Settings come from the environment (STACBRIDGE_…) and from the file of --config."


def load_settings(**given: object) -> Settings:
    """Read the settings; `given` ones win. Raises `Misconfigured` without ever repeating a value."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = "; ".join(
            f"{_name(told['loc'])}: {told['msg']}" for told in error.errors(include_input=False)
        )
        raise Misconfigured(f"A setting is wrong. {wrong}.", advice=SOURCES) from None
    except SettingsError as error:
        raise Misconfigured(f"A setting is wrong: {error}.", advice=SOURCES) from None
    except TOMLDecodeError as error:
        raise Misconfigured(f"The configuration file is not TOML: {error}.", advice=SOURCES) from None


def _name(place: tuple[int | str, ...]) -> str:
    return "STACBRIDGE_" + "__".join(str(part) for part in place).upper()
