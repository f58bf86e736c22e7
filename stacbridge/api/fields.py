"""The Fields extension: which members of an Item an answer holds.

Source: https://github.com/stac-api-extensions/fields (v1.0.0).
The rules, as stac-api-validator 0.6.8 checks them:

* nothing included or excluded, or `include` empty: the default members;
* `include`: these members and the always-present ones;
* only `exclude`, `include` not given at all: everything else;
* a member both included and excluded is included, and so is a member inside an excluded one.
"""

from dataclasses import dataclass
from typing import Any

from stacbridge.model import Json

Path = tuple[str, ...]

ALWAYS: tuple[Path, ...] = (("type",), ("stac_version",), ("id",), ("collection",))
DEFAULT: tuple[Path, ...] = (
    *ALWAYS,
    ("geometry",),
    ("bbox",),
    ("links",),
    ("assets",),
    ("properties", "datetime"),
)


@dataclass(frozen=True, slots=True)
class Fields:
    """Members to keep (`None`: all) and to drop, as paths into the Item."""

    keep: tuple[Path, ...] | None
    drop: tuple[Path, ...] = ()

    def project(self, item: Json) -> Json:
        """Return a new Item with the chosen members; the one given stays as it is."""
        chosen = dict(item) if self.keep is None else _kept(item, self.keep)
        for path in self.drop:
            _drop(chosen, path)
        return chosen


def fields(include: list[str] | None, exclude: list[str] | None, include_given: bool) -> Fields:
    """Return what `include` and `exclude` mean; `include_given` tells an empty `include` from none."""
    included = tuple(_path(name) for name in include or ())
    excluded = tuple(_path(name) for name in exclude or ())
    drop = tuple(path for path in excluded if not any(kept[: len(path)] == path for kept in included))
    if included:
        return Fields(ALWAYS + included, drop)
    if excluded and not include_given:
        return Fields(None, drop)
    return Fields(DEFAULT, drop)


def _path(name: str) -> Path:
    """Return the path of `properties.eo:cloud_cover`; a property's own name may hold dots."""
    head, *rest = name.split(".", 1)
    return (head, *rest) if head == "properties" else tuple(name.split("."))


def _kept(item: Json, paths: tuple[Path, ...]) -> Json:
    chosen: Json = {}
    for path in paths:
        found, value = _look(item, path)
        if found:
            _put(chosen, path, value)
    return chosen


def _look(item: Json, path: Path) -> tuple[bool, Any]:
    value: Any = item
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False, None
        value = value[name]
    return True, value


def _put(target: Json, path: Path, value: Any) -> None:
    *above, last = path
    for name in above:
        target = _own(target, name)
    target[last] = value


def _drop(target: Json, path: Path) -> None:
    *above, last = path
    for name in above:
        if not isinstance(target.get(name), dict):
            return
        target = _own(target, name)
    target.pop(last, None)


def _own(target: Json, name: str) -> Json:
    """Return a copy of an inner object that is no longer shared with the Item it came from."""
    target[name] = dict(target.get(name, ()))
    inner: Json = target[name]
    return inner
