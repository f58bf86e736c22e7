"""STAC APIs as a catalogue file describes them."""

from pathlib import Path

from stacbridge.dialects.stac import StacApi
from stacbridge.mapping.mapping import load
from stacbridge.settings import Settings

TOML = """
id = "api"
title = "An API"
dialect = "stac"
[endpoints]
catalogue = "https://stac.example/v1/"
[limits]
connections = 1
{limits}
[search]
{search}
"""


def api(
    folder: Path,
    search: str = 'filter = "cql2-text"',
    sortables: str = '["datetime"]',
    limits: str = "url = 500",
) -> StacApi:
    """Describe an API in a folder, and return its dialect."""
    text = TOML.format(search=f"{search}\nsortables = {sortables}", limits=limits)
    (folder / "api.toml").write_text(text)
    return StacApi(load("api", Settings(catalogue_folder=folder)))
