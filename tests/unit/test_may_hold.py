"""Which ids are asked of which shipped catalogue: its own in any case, and no others where that is known."""

from itertools import product
from pathlib import Path

import orjson
import pytest

from stacbridge.loading import load
from stacbridge.settings import Settings

GOLDEN = Path(__file__).parents[1] / "catalogues"
SETTINGS = Settings(account_store="files", account_folder=Path("nowhere"))
SHIPPED = ("cdse", "cgls", "hrvpp", "maap", "sedas", "terrascope")
S1 = "S1A_IW_GRDH_1SDV_20250503T051840_20250503T051905_059026_0751F2_3C1D"
S2 = "S2B_MSIL1C_20210105T221949_N0209_R029_T01KAB_20210105T231103"
S3 = "S3B_SR_2_LAN_HY_20240709T094120_20240709T094302_20240803T201144_0102_095_079______PS2_O_NT_005"
S5P = "S5P_OFFL_L2__NO2____20241102T103653_20241102T121823_36562_03_020701_20241104T025116"


def golden_ids(catalogue: str) -> set[str]:
    """Return the ids of items that the catalogue is known to hold."""
    found = [orjson.loads(file.read_bytes()) for file in (GOLDEN / catalogue).rglob("item.json")]
    return {item["id"] for item in found}


@pytest.mark.parametrize("catalogue", SHIPPED)
def test_a_catalogue_is_asked_for_every_id_that_it_is_known_to_hold(catalogue: str) -> None:
    ids = golden_ids(catalogue)
    assert ids
    assert all(map(load(catalogue, SETTINGS).may_hold, ids))


@pytest.mark.parametrize(
    ("catalogue", "id"),
    [
        *(
            ("sedas", S3),
            ("sedas", S5P),
            ("cdse", f"{S1}.SAFE"),
            ("cdse", f"{S2}.zip"),
            ("cdse", f"{S3}.SEN3"),
        ),
        *product(("cgls", "hrvpp"), (S1, S2, S3, S5P)),
    ],
)
def test_a_catalogue_is_not_asked_for_what_it_never_holds(catalogue: str, id: str) -> None:
    assert not load(catalogue, SETTINGS).may_hold(id)


@pytest.mark.parametrize("id", [S1, S2, S3, S5P, f"{S3}.zip", "anything"])
def test_a_catalogue_of_everything_is_asked_for_any_id(id: str) -> None:
    assert load("cdse", SETTINGS).may_hold(id)
