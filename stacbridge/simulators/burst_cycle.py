"""Where bursts lie in the orbit cycle, and their numbers.

The burst number is 1 + floor((t - Tanx + (orbit - 1) * Od - Tpre) / Tbeam) with t the burst's start plus
half its length, which is the formula of CDSE's own extraction tool (eu-cdse/utilities,
sentinel1_burst_extractor.sh); BurstId takes the relative orbit, AbsoluteBurstId the absolute one.
"""

from typing import Any

import numpy as np

from .hashing import Floats, Rows
from .orbits import SECOND

SWATHS = ("IW1", "IW2", "IW3")
ORBIT_SECONDS = 12 * 86400 / 175
BEAM_CYCLE = {"IW": 2.758273, "EW": 3.038376}
PREAMBLE = {"IW": 2.299849, "EW": 2.299970}
BURST_SECONDS = {
    "IW1": 0.81531490,
    "IW2": 1.06087913,
    "IW3": 0.83045822,
    "EW1": 0.66551400,
    "EW2": 0.54139519,
    "EW3": 0.59473403,
    "EW4": 0.54745052,
    "EW5": 0.60098234,
}
_WITHIN_CYCLE = np.array([0.139, 0.44, 0.80])
"""Where in a beam cycle the middle of each swath's burst lies; IW1's is that of CDSE's documented example."""


def burst_number(since_node: Floats | float, orbit: Rows | int, swath: str) -> Any:
    """Number of the burst that starts `since_node` seconds after the ascending node of `orbit`."""
    mode = swath[:2]
    middle = since_node + BURST_SECONDS[swath] / 2
    along = middle + (orbit - 1) * ORBIT_SECONDS - PREAMBLE[mode]
    return 1 + np.floor(along / BEAM_CYCLE[mode]).astype(np.int64)


def starts(node: Rows, relative: Rows, parent_since: Floats, swath: Rows, n: Rows) -> Rows:
    """When each burst starts: the n-th of its swath that starts within the parent."""
    half = np.array([BURST_SECONDS[name] / 2 for name in SWATHS])[swath]
    before = (relative - 1) * ORBIT_SECONDS - PREAMBLE["IW"] + half
    place = _WITHIN_CYCLE[swath]
    first = np.ceil((parent_since + before) / BEAM_CYCLE["IW"] - place)
    seconds = (first + n + place) * BEAM_CYCLE["IW"] - before
    return np.asarray(node + np.rint(seconds * SECOND).astype(np.int64))
