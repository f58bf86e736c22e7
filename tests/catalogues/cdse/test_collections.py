import re
from itertools import combinations

import orjson
import pytest

from stacbridge.mapping.families import Collection
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.settings import Settings
from tests.schemas import faults

CDSE = load("cdse", Settings())
SPECS = list(CDSE.specs.values())
PUBLISHED = [
    *(f"sentinel-1-{name}" for name in ("grd", "slc", "slc-wv", "etad", "global-mosaics")),
    *(f"sentinel-2-{name}" for name in ("l1c", "l2a", "global-mosaics")),
    *(
        f"sentinel-3-{name}-{timeliness}"
        for name in ("olci-1-efr", "olci-1-err", "olci-2-lfr", "olci-2-lrr", "olci-2-wfr", "olci-2-wrr")
        for timeliness in ("nrt", "ntc")
    ),
    *(
        f"sentinel-3-{name}-{timeliness}"
        for name in ("sl-1-rbt", "sl-2-frp", "sl-2-lst", "sl-2-wst")
        for timeliness in ("nrt", "ntc")
    ),
    "sentinel-3-sl-2-aod-nrt",
    *(
        f"sentinel-3-sr-{name}-{timeliness}"
        for name in ("1-sra", "1-sra-a", "2-lan", "2-lan-hy", "2-lan-li", "2-lan-si", "2-wat")
        for timeliness in ("nrt", "stc", "ntc")
    ),
    "sentinel-3-syn-2-aod-ntc",
    *(
        f"sentinel-3-syn-2-{name}-{timeliness}"
        for name in ("syn", "v10", "vg1", "vgp")
        for timeliness in ("stc", "ntc")
    ),
    *(
        f"sentinel-5p-{name}-{mode}"
        for name in (
            *(f"l1-ra-bd{number}" for number in range(1, 9)),
            *(f"l2-{gas}" for gas in ("aer-ai", "aer-lh", "ch4", "cloud", "co", "hcho", "no2")),
            *(f"l2-{gas}" for gas in ("o3", "o3-pr", "o3-tcl", "so2")),
        )
        for mode in ("nrti", "offl", "rpro")
    ),
    *(f"sentinel-5p-l2-np-bd{number}-{mode}" for number in (3, 6, 7) for mode in ("offl", "rpro")),
    *(
        f"sentinel-6-{name}-{timeliness}"
        for name in ("p4-1b", "p4-2", "amr-c")
        for timeliness in ("nrt", "stc", "ntc")
    ),
    "cop-dem-glo-30-dged-cog",
    "cop-dem-glo-90-dged-cog",
    "ccm-optical",
    "ccm-sar",
]
"""Ids that CDSE's own STAC catalogue has for products of its OData catalogue."""


@pytest.fixture
def cdse() -> Mapping:
    return CDSE


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_collection_is_valid(spec: Collection) -> None:
    assert faults(spec.stac) == []


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_collection_says_what_it_is_whose_and_when(spec: Collection) -> None:
    missing = {"title", "description", "license", "providers", "keywords", "summaries"} - spec.stac.keys()
    assert missing == set()
    assert spec.stac["extent"]["temporal"]["interval"][0][0] is not None
    assert any(link["rel"] == "license" for link in spec.stac["links"])
    assert spec.assets or spec.files


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_summaries_do_not_contradict_the_constants_of_items(spec: Collection) -> None:
    for name, value in spec.constants.items():
        if name in spec.stac["summaries"]:
            assert value in (spec.stac["summaries"][name], *spec.stac["summaries"][name])


def test_ids_of_collections_and_keys_of_assets_are_safe_in_a_path(cdse: Mapping) -> None:
    names = {name for spec in cdse.specs.values() for name in (spec.id, *spec.assets)}
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name)] == []


def test_no_record_can_belong_to_two_collections_of_a_family(cdse: Mapping) -> None:
    ambiguous = [
        (one.id, other.id)
        for one, other in combinations(cdse.specs.values(), 2)
        if one.family == other.family and not _apart(one, other)
    ]
    assert ambiguous == []


def _apart(one: Collection, other: Collection) -> bool:
    """Tell whether some attribute cannot have values of both."""
    if {*one.match, *other.match} == {"datasetFull", "productType"}:
        return (
            one.family == "COP-DEM"
        )  # delivered products have the first, tiles of the model only the second
    shared = one.match.keys() & other.match.keys()
    return any(one.match[name].isdisjoint(other.match[name]) for name in shared)


def test_collections_of_cdses_own_catalogue_have_the_same_ids_here(cdse: Mapping) -> None:
    assert set(PUBLISHED) - cdse.specs.keys() == set()


def test_every_collection_of_odata_is_served(cdse: Mapping) -> None:
    # The names that a filter on Collection/Name takes.
    missions = {f"SENTINEL-{number}" for number in ("1", "1-RTC", "2", "3", "5P", "6")}
    heritage = {"LANDSAT-5", "LANDSAT-7", "LANDSAT-8", "LANDSAT-9", "SMOS", "ENVISAT", "TERRAAQUA"}
    made = {"COP-DEM", "CCM", "S2GLC", "GLOBAL-MOSAICS"}
    entity_sets = {"Bursts"}
    assert {spec.family for spec in cdse.specs.values()} == missions | heritage | made | entity_sets


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_no_file_of_a_product_is_offered_under_two_keys(spec: Collection) -> None:
    paths = [asset.path for asset in spec.assets.values() if asset.kind == "node"]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_record_that_says_no_more_than_it_must_becomes_a_valid_item(
    cdse: Mapping, spec: Collection
) -> None:
    told = {**spec.family_match, **spec.match}
    product = {
        "Id": "1c9c2c0e-0c3e-4a53-8a55-3c7e6a4a2b10",
        "Name": "A_PRODUCT",
        "ContentDate": {"Start": "2020-01-01T00:00:00Z", "End": "2020-01-01T00:00:00Z"},
        "Attributes": {name: min(values) for name, values in told.items()},
    }
    item = orjson.loads(orjson.dumps(cdse.item(product, "https://bridge.example")))
    assert item["collection"] == spec.id
    assert faults(item) == []
