import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacbridge.mapping.names import CONVENTIONS


@pytest.mark.parametrize(
    ("convention", "name", "parts"),
    [
        (
            "sentinel-1",
            "S1C_IW_GRDH_1SDV_20250327T154419_20250327T154453_001628_002981_53D2_COG.SAFE",
            {
                "platform": "s1c",
                "mode": "iw",
                "start": "20250327t154419",
                "orbit": "001628",
                "datatake": "002981",
            },
        ),
        (
            "sentinel-1",
            "S1A_WV_SLC__1SSV_20220621T043617_20220621T043635_043756_053954_0000.SAFE",
            {"mode": "wv"},
        ),
        (
            "sentinel-2",
            "S2A_MSIL1C_20240116T000741_N0510_R130_T51CVP_20240116T010505.SAFE",
            {"tile": "T51CVP", "start": "20240116T000741", "orbit": "130"},
        ),
    ],
)
def test_a_name_tells_its_parts(convention: str, name: str, parts: dict[str, str]) -> None:
    found = CONVENTIONS[convention].read(name)
    assert found is not None and parts.items() <= found.items()
    assert found.keys() == CONVENTIONS[convention].parts


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(
    "name", ["", "S1A", "S2A_MSIL1C_old_style", "S1A_AUX_INS_V20140406T010000_G20140409T142540.SAFE"]
)
def test_another_name_tells_nothing(convention: str, name: str) -> None:
    assert CONVENTIONS[convention].read(name) is None


@pytest.mark.parametrize("convention", CONVENTIONS)
@given(st.text(alphabet="S12A_IWGRDH.0123456789T/%\"' é", max_size=80))
def test_parts_are_safe_in_urls_and_json(convention: str, name: str) -> None:
    for part in (CONVENTIONS[convention].read(name) or {}).values():
        assert re.fullmatch(r"[A-Za-z0-9_-]+", part)
