"""What the API conforms to: one table, advertised by the landing page, printed by the documentation.

Not advertised, because it would not be true: `cql2/1.0/conf/functions`, as there are no functions but CQL2's.
"""

STAC = "https://api.stacspec.org/v1.0.0"
SORT_1_1 = "https://api.stacspec.org/v1.1.0"
OAF = "http://www.opengis.net/spec/ogcapi-features"
AGGREGATION = "https://api.stacspec.org/v0.3.0/aggregation"
FREE_TEXT = "https://api.stacspec.org/v1.0.0-rc.1"
SEARCHED = "https://api.stacspec.org/v1.0.0-rc.1/collection-search"
CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"

VALIDATOR = "tests/api/test_validator.py"
FILTERS = "tests/api/test_filter.py"
SORTING = "tests/api/test_sort.py"
FIELDS = "tests/api/test_fields.py"
LANDING = "tests/api/test_landing.py"
COLLECTIONS = "tests/api/test_collection_search.py"
QUERIES = "tests/api/test_query_extension.py"
TEXTS = "tests/api/test_free_text.py"
NUMBERS = "tests/api/test_aggregation.py"
CLASSES = "tests/api/test_cql2_classes.py"

CONFORMANCE: dict[str, str] = {
    f"{STAC}/core": VALIDATOR,
    f"{STAC}/collections": VALIDATOR,
    f"{STAC}/ogcapi-features": VALIDATOR,
    f"{STAC}/item-search": VALIDATOR,
    f"{OAF}-1/1.0/conf/core": VALIDATOR,
    f"{OAF}-1/1.0/conf/geojson": VALIDATOR,
    f"{OAF}-1/1.0/conf/oas30": LANDING,
    f"{STAC}/item-search#fields": VALIDATOR,
    f"{STAC}/ogcapi-features#fields": FIELDS,
    # Clients look for v1.0.0 (pystac-client, QGIS), the extension itself is v1.1.0.
    f"{STAC}/item-search#sort": VALIDATOR,
    f"{SORT_1_1}/item-search#sort": VALIDATOR,
    f"{SORT_1_1}/item-search#sortables": SORTING,
    f"{STAC}/ogcapi-features#sort": SORTING,
    f"{SORT_1_1}/ogcapi-features#sort": SORTING,
    f"{OAF}-5/1.0/conf/sortables": SORTING,
    f"{STAC}/item-search#query": QUERIES,
    f"{STAC}/ogcapi-features#query": QUERIES,
    f"{FREE_TEXT}/item-search#free-text": TEXTS,
    f"{FREE_TEXT}/ogcapi-features#free-text": TEXTS,
    f"{AGGREGATION}": NUMBERS,
    f"{AGGREGATION}#query": NUMBERS,
    f"{AGGREGATION}#filter": NUMBERS,
    f"{STAC}/item-search#filter": VALIDATOR,
    f"{OAF}-3/1.0/conf/filter": FILTERS,
    f"{OAF}-3/1.0/conf/features-filter": FILTERS,
    f"{OAF}-3/1.0/conf/queryables": FILTERS,
    f"{SEARCHED}": COLLECTIONS,
    f"{SEARCHED}#free-text": COLLECTIONS,
    f"{SEARCHED}#filter": COLLECTIONS,
    f"{SEARCHED}#query": COLLECTIONS,
    # The extension says v1.1.0, as Sort does; clients written for its first release look for v1.0.0-rc.1.
    f"{SEARCHED}#sort": COLLECTIONS,
    f"{SORT_1_1}/collection-search#sort": COLLECTIONS,
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query": COLLECTIONS,
    f"{CQL2}/cql2-text": FILTERS,
    f"{CQL2}/cql2-json": FILTERS,
    f"{CQL2}/basic-cql2": CLASSES,
    f"{CQL2}/advanced-comparison-operators": CLASSES,
    f"{CQL2}/case-insensitive-comparison": CLASSES,
    f"{CQL2}/accent-insensitive-comparison": CLASSES,
    f"{CQL2}/basic-spatial-functions": CLASSES,
    f"{CQL2}/basic-spatial-functions-plus": CLASSES,
    f"{CQL2}/spatial-functions": CLASSES,
    f"{CQL2}/temporal-functions": CLASSES,
    f"{CQL2}/array-functions": CLASSES,
    f"{CQL2}/property-property": CLASSES,
    f"{CQL2}/arithmetic": CLASSES,
}
"""Conformance class -> the test that proves it."""
