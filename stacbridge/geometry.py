"""Footprints."""


def footprints(records):
    return [(None, None) for _ in records]
