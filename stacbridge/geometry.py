"""GeoJSON geometries of searches."""

import shapely.geometry

from stacbridge.errors import BadRequest
from stacbridge.model import Json
from stacbridge.settings import Settings


def checked(value: Json, settings: Settings, parameter: str) -> Json:
    """Return a GeoJSON geometry that was checked. Raises `BadRequest` naming the parameter."""
    try:
        shape = shapely.geometry.shape(value)
    except Exception as error:
        raise BadRequest(f"{parameter} is not a GeoJSON geometry: {error}.", parameter=parameter) from None
    if shapely.get_num_coordinates(shape) > settings.max_vertices:
        raise BadRequest(f"{parameter} has too many positions.", parameter=parameter)
    return value
