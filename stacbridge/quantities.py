"""Kinds of numbers that settings are."""

from typing import Annotated

from pydantic import Field

Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
