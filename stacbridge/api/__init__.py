"""The STAC API: stac-fastapi's routes, answers as ready bytes."""
