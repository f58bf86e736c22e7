"""A page of products, decoded straight into records: what nothing reads of it is passed over as bytes.

Of a product's bytes most are never looked at: the types of thirty attributes, dates of checksums, the
footprint as text beside the one as GeoJSON. Decoding by type makes nothing of them.
"""

from collections.abc import Collection
from types import GenericAlias
from typing import Annotated, Any, TypedDict

import msgspec

from stacbridge.dialects.odata_records import Listing
from stacbridge.mapping.families import Collection as Spec

_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Longer ones are no numbers that JSON can be trusted with."""
_Scalar = str | bool | float | _Integer | None


class _Attribute(msgspec.Struct, gc=False):
    Name: str
    Value: _Scalar = None


class _Checksum(TypedDict, total=False):
    Algorithm: _Scalar
    Value: _Scalar


class _Location(TypedDict, total=False):
    FormatType: _Scalar
    ContentLength: _Scalar
    Checksum: list[_Checksum] | None


class _Asset(TypedDict, total=False):
    Type: _Scalar
    DownloadLink: _Scalar


READ: dict[str, Any] = {
    "Id": _Scalar,
    "Name": _Scalar,
    "Online": _Scalar,
    "S3Path": _Scalar,
    "ContentLength": _Scalar,
    "Checksum": list[_Checksum] | None,
    "Attributes": list[_Attribute] | None,
    "Assets": list[_Asset] | None,
    "Locations": list[_Location] | None,
    "GeoFootprint": dict[str, Any] | None,
}
"""What of a product is read whatever a catalogue's rows say, and its types."""


class ProductPage:
    """Decodes pages whose products are as CDSE's metadata document says."""

    def __init__(self, collections: Collection[Spec]) -> None:
        """`collections` are those that products may belong to: what they read of one is made."""
        # Records share these strings, whose hash is known.
        self._names = {name: name for spec in collections for name in spec.attributes}
        paths = [path for spec in collections for row in spec.rows.values() for path in row.paths]
        rows = dict.fromkeys((path.partition("/")[0] for path in paths), _Scalar | dict[str, _Scalar])
        self._shapes = _decoder(rows | READ)
        self._texts = _decoder(rows | READ | {"Footprint": str | None})

    def read(self, body: bytes) -> Listing | None:
        """Return the products as records; `None` where one of them is not as it should be.

        Footprints as text are read where a product has none as GeoJSON.
        """
        try:
            page = self._shapes.decode(body)
            if not all(record.get("GeoFootprint") for record in page["value"]):
                page = self._texts.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
            return None
        records, names = page["value"], self._names
        for record in records:
            listed = record.get("Attributes") or ()
            record["Attributes"] = {name: each.Value for each in listed if (name := names.get(each.Name))}
        return Listing(records, "@odata.nextLink" in page, page.get("@odata.count"))


def _decoder(members: dict[str, Any]) -> msgspec.json.Decoder[Any]:
    """Return the decoder of pages whose products have at most these members."""
    products = GenericAlias(list, _typed("Product", members))
    page = {"value": products, "@odata.nextLink": Any, "@odata.count": int | None}
    return msgspec.json.Decoder(_typed("Page", page))


def _typed(name: str, members: dict[str, Any]) -> Any:
    """Return the type of objects of which only these members are read, and none has to be there."""
    return TypedDict(name, members, total=False)  # type: ignore[operator]
