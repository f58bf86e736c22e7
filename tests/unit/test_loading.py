import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stacbridge.errors import Misconfigured, NotFound
from stacbridge.mapping.mapping import Mapping, load
from stacbridge.schemas import PUSHED
from stacbridge.settings import Settings
from tests.unit.toy import FOLDER, toy

Edit = Callable[[str, str, str], Mapping]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """Load the toy catalogue with a text of one of its files replaced by another."""

    def load_edited(file: str, old: str, new: str) -> Mapping:
        shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
        text = (tmp_path / file).read_text()
        assert text.count(old) >= 1, "there is nothing to replace"
        (tmp_path / file).write_text(text.replace(old, new, 1))
        return load("toy", Settings(catalogue_folder=tmp_path))

    return load_edited


TOP, S1, S2 = "toy.toml", "toy/sentinel-1.toml", "toy/sentinel-2.toml"
ORBIT = 'from = "Attributes/orbitNumber"\ntype = "Integer"\npush = "order"'


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (TOP, 'id = "toy"', "", "toy.toml: id: is missing"),
        (TOP, 'id = "toy"', "id = 5", "toy.toml: id: must be of type str, not 5"),
        (TOP, 'id = "toy"', 'id = "toy', "toy.toml: "),
        (TOP, 'id = "toy"', 'id = "toy"\nname = "x"', "toy.toml: name: is not a key"),
        (TOP, 'id = "toy"', 'id = "toy"\nitem_ids = "("', "toy.toml: item_ids: is no regular expression"),
        (TOP, "page = 1000", 'page = "many"', "toy.toml: limits.page: must be of type int"),
        (TOP, "page = 1000", "page = true", "toy.toml: limits.page: must be of type int"),
        (TOP, '".nc"', '".nc", "c"', "toy.toml: names.strip: one ending ends with another"),
        (TOP, ORBIT, ORBIT + "\nunit = 1", "field[9].unit: is not a key"),
        (TOP, ORBIT, ORBIT.replace("Integer", "Int"), "field[9].type: 'Int' is none of String"),
        (TOP, ORBIT, ORBIT.replace("order", "guess"), "field[9].push: 'guess' is none of equal"),
        (TOP, ORBIT, ORBIT + '\nconvert = "upside"', "field[9].convert: 'upside' is none of"),
        (TOP, ORBIT, ORBIT + '\nconvert = "lower"', "field[9].type: 'lower' takes String, not Integer"),
        (TOP, ORBIT, ORBIT.replace("Integer", "String"), "field[9].push: 'order' needs"),
        (TOP, ORBIT, ORBIT.replace("order", "text"), "field[9].push: 'text' needs"),
        (TOP, ORBIT, ORBIT + '\nsort = "yes"', "field[9].sort: must be of type bool"),
        (TOP, ORBIT, ORBIT + "\nfrom = 5", "toy.toml: Cannot overwrite"),
        (TOP, 'from = "Attributes/orbitNumber"', "from = 5", "field[9].from: must be a string or a list"),
        (TOP, 'from = "Attributes/orbitNumber"', "from = []", "field[9].from: must name one path"),
        (TOP, '"sat:absolute_orbit"', '"datetime"', "field[9].stac: 'datetime' is there twice"),
        (
            TOP,
            'convert = "expiry"',
            'convert = "expiry"\npush = "equal"',
            "push: the converter does not write",
        ),
        (TOP, 'convert = "expiry"', 'convert = "expiry"\ntable = {a = "b"}', "convert: only one of"),
        (TOP, 'convert = "expiry"', 'type = "Any"\ntable = {a = "b"}', "type: a `table` needs to know"),
        (TOP, 'values = ["SAR", "MSI"]', "values = 5", "values: must be of type list"),
        (TOP, 'convert = "platform"', 'convert = "platform"\nvalues = ["A"]', "values: must be lists"),
        (S1, 'name = "SENTINEL-1"', "", "sentinel-1.toml: family.name: is missing"),
        (S1, 'parts = "sentinel-1"', 'parts = "s1"', "family.parts: 's1' is none of"),
        (S1, 'parts = "sentinel-1"', 'remove = ["nothing"]', "family.remove: no common row nothing"),
        (S1, 'id = "slc"', 'id = "grd"', "sentinel-1.toml: collection: 'grd' is there twice"),
        (S1, 'id = "slc"', "", "sentinel-1.toml: collection[1].id: is missing"),
        (S1, 'id = "slc"', 'id = "slc"\ncolour = "red"', "collection[1].colour: is not a key"),
        (
            S1,
            '{ productType = ["IW_SLC__1S"] }',
            "{ productType = [] }",
            "collection[1].match: an attribute without",
        ),
        (S1, 'assets = ["product"]', 'assets = ["none"]', "collection[0].assets: no group 'none'"),
        (S1, 'key = "vh"', 'key = "vv"', "asset[2].key: asset 'vv' is there twice in collection 'grd'"),
        (S1, 'key = "vh"', 'key = "vh"\nsize = 5', "asset[2].size: is not a key"),
        (S1, 'of = "compressed"', "", "asset[1].of: is missing"),
        (S1, 'of = "compressed"', 'of = "zip"', "asset[1].of: 'zip' is none of product"),
        (
            S1,
            'of = "compressed"',
            'of = "compressed"\nstated = true',
            "asset[1].stated: a compressed location",
        ),
        (S1, 'of = "compressed"', 'of = "node"', "asset[1].path: belongs to"),
        (S1, 'of = "compressed"', 'of = "compressed"\npath = "x"', "asset[1].path: belongs to"),
        (
            S1,
            "{datatake}",
            "{data_take}",
            "asset[1].path: no part data_take in names of convention 'sentinel-1'",
        ),
        (S2, 'license = "other"', 'licence = "other"', "sentinel-2.toml: family.licence: is not a key"),
        (S2, "[family]", "colour = 5\n[family]", "sentinel-2.toml: colour: is not a key"),
    ],
)
def test_nonsense_is_refused_naming_file_and_key(
    edited: Edit, file: str, old: str, new: str, told: str
) -> None:
    with pytest.raises(Misconfigured) as failure:
        edited(file, old, new)
    assert told in str(failure.value)


def test_a_catalogue_that_is_not_there_is_named() -> None:
    with pytest.raises(Misconfigured, match="'nowhere'"):
        load("nowhere", Settings())


def test_settings_replace_endpoints() -> None:
    settings = Settings(
        catalogue_folder=FOLDER, endpoints={"toy": {"download": "http://127.0.0.1:5/odata/v1"}}
    )
    mapping = load("toy", settings)
    assert mapping.endpoints["download"] == "http://127.0.0.1:5/odata/v1"
    assert mapping.endpoints["catalogue"] == "https://catalogue.example/odata/v1"


def test_collections_are_stac_collections() -> None:
    grd = toy().collections["grd"]
    assert grd["extent"] == {
        "spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["2014-10-03T00:00:00Z", None]]},
    }
    assert grd["license"] == "other"
    assert grd["links"] == [{"rel": "license", "href": "https://example/licence.pdf", "title": "Licence"}]
    assert list(grd["item_assets"]) == ["product", "compressed", "thumbnail", "safe_manifest", "vv", "vh"]
    assert "href" not in str(grd["item_assets"])


def test_a_family_removes_common_rows(edited: Edit) -> None:
    mapping = edited(S1, 'parts = "sentinel-1"', 'parts = "sentinel-1"\nremove = ["platform"]')
    assert "platform" not in mapping.specs["grd"].rows
    assert "platform" in mapping.specs["l1c"].rows


def test_queryables_describe_what_can_be_filtered() -> None:
    mapping = toy()
    radar, optical = mapping.queryables("grd")["properties"], mapping.queryables("l1c")["properties"]
    assert radar["sat:orbit_state"]["enum"] == ["ascending", "descending"]
    assert radar["sar:frequency_band"] == {"enum": ["C"], PUSHED: True}
    assert radar["collection"]["enum"] == ["grd"]
    assert optical["eo:cloud_cover"] == {"type": "number", "minimum": 0, "maximum": 100, PUSHED: True}
    assert "eo:cloud_cover" not in radar
    both = mapping.queryables()["properties"]
    assert both.keys() == radar.keys() | optical.keys()
    assert both["constellation"] == {"type": "string", "enum": ["sentinel-1", "sentinel-2"], PUSHED: True}


def test_queryables_tell_which_conditions_are_pushed_and_list_all_that_items_can_have() -> None:
    mapping = toy()
    for name in ("grd", "l1c"):
        properties = mapping.queryables(name)["properties"]
        assert properties.keys() == mapping.names(name)
        pushed = {name for name, schema in properties.items() if schema[PUSHED]}
        assert {"id", "collection", "geometry", "datetime", "platform"} <= pushed
        assert {"auth:schemes", "expires"}.isdisjoint(pushed)
        assert "expires" in properties


def test_sortables_are_what_the_upstream_sorts_by() -> None:
    assert toy().sortables("grd")["properties"].keys() == {
        "datetime",
        "start_datetime",
        "end_datetime",
        "published",
    }


def test_a_collection_that_is_not_there_is_not_found() -> None:
    for ask in (toy().queryables, toy().sortables):
        with pytest.raises(NotFound, match="'none'"):
            ask("none")
    with pytest.raises(NotFound, match="'none'"):
        toy().asset("none", "vv")
