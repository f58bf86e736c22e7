"""What the API conforms to: one table, advertised by the landing page, printed by the documentation.

Not advertised, because it would not be true: `cql2/1.0/conf/basic-cql2`. A filter is answered exactly or
refused with a 400 that names property and operator, and some upstreams cannot answer every comparison of
every queryable. The `filter`, `cql2-text` and `cql2-json` classes are advertised all the same: they say that
filters are read in both encodings, and clients (pystac-client, STAC Browser) send none without them.
"""

STAC = "https://api.stacspec.org/v1.0.0"
SORT_1_1 = "https://api.stacspec.org/v1.1.0"
OAF = "http://www.opengis.net/spec/ogcapi-features"
SEARCHED = "https://api.stacspec.org/v1.0.0-rc.1/collection-search"
CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"

VALIDATOR = "tests/api/test_validator.py"
CLIENT = "tests/api/test_pystac_client.py"
FILTERS = "tests/api/test_filter.py"
SORTING = "tests/api/test_sort.py"
FIELDS = "tests/api/test_fields.py"
LANDING = "tests/api/test_landing.py"
COLLECTIONS = "tests/api/test_collection_search.py"

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
    f"{STAC}/item-search#filter": CLIENT,
    f"{OAF}-3/1.0/conf/filter": FILTERS,
    f"{OAF}-3/1.0/conf/features-filter": FILTERS,
    f"{OAF}-3/1.0/conf/queryables": FILTERS,
    f"{SEARCHED}": COLLECTIONS,
    f"{SEARCHED}#free-text": COLLECTIONS,
    f"{SEARCHED}#filter": COLLECTIONS,
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query": COLLECTIONS,
    f"{CQL2}/cql2-text": FILTERS,
    f"{CQL2}/cql2-json": FILTERS,
}
"""Conformance class -> the test that proves it."""
