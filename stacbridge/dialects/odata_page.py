"""A page of products, decoded straight into records: what nothing reads of it is passed over as bytes.

Of a product's bytes most are never looked at: the types of thirty attributes, dates of checksums, the
footprint as text. Decoding by type makes none of them.
"""

from collections.abc import Iterable
from typing import Annotated, Any, TypedDict

import msgspec

from stacbridge.dialects.odata_records import Listing

_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""Longer ones would be no numbers of JSON that everybody reads."""
_Scalar = str | bool | float | _Integer | None
_Object = dict[str, _Scalar]

READ: dict[str, Any] = {
    "Id": _Scalar,
    "Name": _Scalar,
    "Online": _Scalar,
    "S3Path": _Scalar,
    "ContentLength": _Scalar,
    "Checksum": list[_Object],
    "Assets": list[_Object],
    "Locations": list[dict[str, _Scalar | list[_Object]]],
    "GeoFootprint": dict[str, Any] | None,
    "Footprint": str | None,
}
"""What of a product is read whatever a catalogue's rows say, and its types."""


class _Attribute(msgspec.Struct, gc=False):
    Name: str
    Value: _Scalar = None


class ProductPage:
    """Decodes pages whose products are as CDSE's metadata document says."""

    def __init__(self, paths: Iterable[str]) -> None:
        """`paths` are those of the catalogue's rows."""
        rows = dict.fromkeys((path.partition("/")[0] for path in paths), _Scalar | _Object)
        product = _typed("Product", {**rows, **READ, "Attributes": list[_Attribute]})
        told = {"@odata.nextLink": Any, "@odata.count": int | None}
        self._decoder = msgspec.json.Decoder(_typed("Page", {"value": list[product], **told}))

    def read(self, body: bytes) -> Listing | None:
        """Return the products as records; `None` where one of them is not as it should be."""
        try:
            page = self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if "value" not in page:
            return None
        records = page["value"]
        for record in records:
            record["Attributes"] = {each.Name: each.Value for each in record.get("Attributes", ())}
        return Listing(records, "@odata.nextLink" in page, page.get("@odata.count"))


def _typed(name: str, members: dict[str, Any]) -> Any:
    """Return the type of objects of which only these members are read, and none has to be there."""
    return TypedDict(name, members, total=False)  # type: ignore[operator]
