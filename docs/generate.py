"""Write the reference pages from the code; `python docs/generate.py --check` only compares."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from inspect import get_annotations
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
import mappings
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from tabular import table

from stacbridge import errors
from stacbridge.api.conformance import CONFORMANCE
from stacbridge.cli import main
from stacbridge.settings import Bucket, Credentials, Settings

REFERENCE = Path(__file__).parent / "reference"


def commands(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    """Yield the help of a command and of those below it."""
    width = {"terminal_width": 100, "max_content_width": 100}
    context = command.make_context(name, [], parent, resilient_parsing=True, **width)
    yield f"\n## {context.command_path}\n\n```text"
    yield command.get_help(context).rstrip()
    yield "```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, name, context)


def cli() -> Iterator[str]:
    """Yield the page of the command line."""
    yield "# Command line"
    yield from commands(main, "stacbridge")


def default(field: FieldInfo) -> str:
    """Say a setting's default in words."""
    if field.default is PydanticUndefined:
        return "(required)"
    if isinstance(field.default, list):
        return f"`{[str(each) for each in field.default]}`"
    return "(none)" if field.default in (None, {}) else f"`{field.default}`"


def kind(field: FieldInfo) -> str:
    """Say a setting's type without module names."""
    annotation = field.annotation
    if annotation is not None and SecretStr in getattr(annotation, "__args__", (annotation,)):
        return "secret"
    return spelled(annotation)


def spelled(annotation: Any) -> str:
    """Write a type as all of Python's versions would, if they agreed."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is None:
        return str(annotation.__name__)
    if origin is Annotated:
        return spelled(parts[0])
    if origin in (Union, UnionType):
        return " | ".join(spelled(part) for part in parts if part is not NoneType)
    inside = map(repr if origin is Literal else spelled, parts)
    return f"{getattr(origin, '__name__', 'Literal')}[{', '.join(inside)}]"


def fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the table of a model's settings, its own before those of the models that it is made of."""
    named = sorted(model.model_fields.items(), key=lambda pair: pair[0] not in get_annotations(model))
    rows = (
        (f"`{prefix}{name.upper()}`", f"`{name}`", kind(field), default(field), field.description or "")
        for name, field in named
    )
    return table(("environment variable", "in TOML", "type", "default", "what it is for"), rows)


def settings() -> Iterator[str]:
    """Yield the page of the settings."""
    yield "# Settings\n"
    yield "Each setting is read from the environment, then from the TOML file that `STACBRIDGE_CONFIG`"
    yield "(or `--config`) names. Times are seconds, sizes are bytes. Tables nest with two underscores in the"
    yield "environment; lists and tables are written as JSON there. A variable `STACBRIDGE_…` or a key that"
    yield "names no setting is refused at the start, and so is a catalogue or an endpoint that there is"
    yield "not.\n"
    yield from fields(Settings, "STACBRIDGE_")
    yield "\n## Accounts\n"
    yield "`CDSE` stands for the catalogue's id in upper case; in TOML the table is `[credentials.cdse]`."
    yield "A secret may stand in a file of its own, named by the same setting with `_FILE` at its end;"
    yield "the secrets above have no such file.\n"
    yield from fields(Credentials, "STACBRIDGE_CREDENTIALS__CDSE__")
    yield "\n## The bucket of the spool\n"
    yield "In TOML the table is `[spool_bucket]`; [Spool to a bucket](../how-to/bucket.md) tells more."
    yield "The secret may stand in a file, named by `STACBRIDGE_SPOOL_BUCKET__SECRET_FILE`.\n"
    yield from fields(Bucket, "STACBRIDGE_SPOOL_BUCKET__")


def failures() -> Iterator[str]:
    """Yield the page of the errors."""
    yield "# Errors\n"
    yield "Every error of the API and of the download proxy is one JSON object: `code` and `description`, and"
    yield "where they apply `upstream` (who failed), `asked` (what it was asked), `answered` (what it said),"
    yield "`advice` (what to do), `parameter` (which of your words is off) and `retry_after` (seconds).\n"
    kinds = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.StacbridgeError)
    ]
    yield from table(
        ("code", "HTTP status", "meaning"),
        ((f"`{k.__name__}`", k.status, (k.__doc__ or "").strip()) for k in kinds[1:]),
    )


def conformance() -> Iterator[str]:
    """Yield the page of the conformance classes."""
    yield "# Conformance\n"
    yield "The landing page advertises these classes; each is held by the test beside it."
    yield "Those of CQL2 hold on every catalogue: what its archive cannot be asked exactly is checked here on"
    yield "each Item. Where that would be work without bound, a `400` says what to narrow."
    yield "`filter`, `cql2-text` and `cql2-json` say that filters are read in both encodings; clients"
    yield "send none without them.\n"
    yield from table(("class", "held by"), ((f"`{uri}`", f"`{test}`") for uri, test in CONFORMANCE.items()))


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "cli.md": cli,
    "settings.md": settings,
    "errors.md": failures,
    **{f"{catalogue}.md": partial(mappings.page, catalogue) for catalogue in mappings.SHIPPED},
    "conformance.md": conformance,
}


def generate(check: bool) -> list[str]:
    """Write all pages, or with `check` only return the names of those that differ."""
    stale = []
    for name, page in PAGES.items():
        text = "\n".join(page()) + "\n"
        path = REFERENCE / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.write_text(text)
    return stale


if __name__ == "__main__":
    checking = "--check" in sys.argv
    different = generate(checking)
    print("\n".join(f"{'stale' if checking else 'written'}: {name}" for name in different))
    sys.exit(1 if checking and different else 0)
