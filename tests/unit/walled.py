"""A STAC API behind a password, as a catalogue file describes it."""

TOML = """
id = "walled"
title = "Walled"
dialect = "stac"

[endpoints]
catalogue = "https://stac.example/"

[access]
flow = "basic"
endpoints = ["catalogue"]
searches = true

[limits]
connections = 4
page = 40

[search]
method = "{method}"
filter = "{language}"
operators = ["=", "<>", "<", "<=", ">", ">=", "like", "isnull", "casei", "s_intersects"]
sortables = ["datetime", "id", "eo:cloud_cover"]
"""
"""The file, but for how it searches."""
HABITS = {"get": ("GET", "cql2-text"), "post": ("POST", "cql2-json")}
"""Methods and languages of filters."""
