"""An archive that answers OData as Copernicus does, over a list of products: no sockets."""

from typing import Any

import orjson

from stacbridge.access.flows import drive
from stacbridge.dialects.odata_sets import ODataSets
from stacbridge.model import Json, Page, Query, Reply, Request
from tests.unit.odata_oracle import compiled


class Archive:
    """Products, how far `$skip` reaches and how many `$top` takes, and what was asked so far."""

    def __init__(self, products: list[Json], *, offset: int = 10_000, page: int = 1000) -> None:
        self.products = products
        self.asked: list[dict[str, str]] = []
        self._offset, self._page = offset, page

    def __call__(self, request: Request) -> Reply:
        """Filter, sort by one path and then by id, skip, cut."""
        asked = dict(request.params)
        self.asked.append(asked)
        skip, top = int(asked.get("$skip", 0)), int(asked["$top"])
        assert skip <= self._offset and top <= self._page, "the upstream refuses this"
        satisfied = compiled(asked["$filter"]) if "$filter" in asked else lambda record, family: True
        found = [record for record in self.products if satisfied(record, family(record))]
        path, direction = asked["$orderby"].split()
        found.sort(key=lambda record: str(record["Id"]))
        found.sort(key=lambda record: at(record, path), reverse=direction == "desc")
        body: Json = {"value": [as_listed(record) for record in found[skip : skip + top]]}
        if "$select" in asked:
            names = ("Id", asked["$select"])
            body["value"] = [{name: record[name] for name in names} for record in body["value"]]
        if asked.get("$count") == "true":
            body["@odata.count"] = len(found)
        return Reply(200, {}, orjson.dumps(body))

    def page(self, dialect: ODataSets, query: Query) -> Page:
        """Return one page of a search."""
        return drive(dialect.walk(query), self)


def at(record: Json, path: str) -> str:
    """Return the value at a path."""
    value: Any = record
    for name in path.split("/"):
        value = value[name]
    return str(value)


def as_listed(record: Json) -> Json:
    """A record with its attributes as OData lists them."""
    listed = [{"Name": name, "Value": value} for name, value in record["Attributes"].items()]
    return {**record, "Attributes": listed}


def family(record: Json) -> str:
    """Return the family of a product."""
    return "SENTINEL-1" if record["Attributes"]["platformShortName"] == "SENTINEL-1" else "SENTINEL-2"
