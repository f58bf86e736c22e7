"""Walks through whole archives, in processes of their own: `python -m conformance.walks`.

A million products of CDSE take a quarter of an hour; `--short` checks the same on small archives with small
limits. `--only` chooses one walk.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.walks import proofs

Proof = Callable[[Path], None]
FULL: dict[str, Proof] = {
    "cdse": lambda folder: proofs.cdse(1_000_500, 1000, 500, 10_000),
    "alike": lambda folder: proofs.alike(1_000_500, 200, 500, folder),
    "at-once": lambda folder: proofs.alike(1_000_500, 200, 500, folder, "COP-DEM"),
    "sedas": lambda folder: proofs.sedas(20_000, 200, 200),
    "sedas-at-once": lambda folder: proofs.sedas(1_000, 200, 400, 20_000),
    "terrascope": lambda folder: proofs.terrascope(110_000, 1000, 100_000, folder),
    "instant": lambda folder: proofs.instant(110_000, 1000, 1000, 100_000, folder),
}
SHORT: dict[str, Proof] = {
    "cdse": lambda folder: proofs.cdse(3_000, 500, 200, 500),
    "alike": lambda folder: proofs.alike(6_000, 20, 300, folder, page=20, offset=30),
    "at-once": lambda folder: proofs.alike(6_000, 20, 300, folder, "COP-DEM", page=20, offset=30),
    "sedas": lambda folder: proofs.sedas(1_000, 100, 50),
    "sedas-at-once": lambda folder: proofs.sedas(500, 200, 100, 3_000),
    "terrascope": lambda folder: proofs.terrascope(1_200, 100, 1_000, folder),
    "instant": lambda folder: proofs.instant(1_500, 100, 100, 400, folder),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Walk through whole archives.")
    parser.add_argument("--short", action="store_true", help="small archives, small limits")
    parser.add_argument("--only", choices=FULL, action="append", help="this walk alone")
    given = parser.parse_args()
    walks = SHORT if given.short else FULL
    for name in given.only or walks:
        with TemporaryDirectory() as folder:
            walks[name](Path(folder))


if __name__ == "__main__":
    main()
