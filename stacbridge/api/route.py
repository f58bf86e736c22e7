"""Routes whose parameters are read on the event loop, where FastAPI wakes a thread for each request."""

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from fastapi import Depends, params
from fastapi.routing import APIRoute


class Route(APIRoute):
    """A route of stac-fastapi's, which asks FastAPI for the parameters as an object of a class."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        endpoint.__defaults__ = tuple(map(_at_once, endpoint.__defaults__ or ()))
        super().__init__(path, endpoint, **given)


def _at_once(default: Any) -> Any:
    """Have a class called by a coroutine, which FastAPI awaits; a class itself it calls in a thread."""
    if not isinstance(default, params.Depends) or not inspect.isclass(default.dependency):
        return default
    model = default.dependency

    async def made(**values: Any) -> Any:
        return model(**values)

    return Depends(update_wrapper(made, model, updated=()))
