"""What a filter or `sortby` may name where several catalogues answer."""

from stacbridge.schemas import intersected, merged

URL = "https://bridge.example/sortables"
CLOUD = {"type": "number", "title": "Cloud cover"}
DOCUMENTS = [
    {"title": "Sortables", "properties": {"id": {"type": "string"}, "eo:cloud_cover": CLOUD}},
    {"title": "Others", "properties": {"eo:cloud_cover": {"type": "integer"}, "gsd": {"type": "number"}}},
]


def test_merged_documents_have_what_any_has_as_the_first_describes_it() -> None:
    whole = merged(DOCUMENTS, URL)
    assert (whole["$id"], whole["title"]) == (URL, "Sortables")
    assert whole["properties"].keys() == {"id", "eo:cloud_cover", "gsd"}
    assert whole["properties"]["eo:cloud_cover"] == CLOUD


def test_intersected_documents_have_what_all_have_as_the_first_describes_it() -> None:
    assert intersected(DOCUMENTS, URL) == {**merged(DOCUMENTS, URL), "properties": {"eo:cloud_cover": CLOUD}}
    assert intersected(DOCUMENTS[:1], URL) == merged(DOCUMENTS[:1], URL)
    assert intersected([], URL)["properties"] == {}
