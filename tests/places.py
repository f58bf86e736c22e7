"""Places of bytes that must be there."""

from stacbridge.catalogue import Catalogue
from stacbridge.model import Ready


def ready(catalogue: Catalogue, collection: str, item: str, asset: str) -> Ready:
    """Return where an asset's bytes are, which nobody has to wait for."""
    place = catalogue.locate(collection, item, asset)
    assert isinstance(place, Ready), place
    return place
