"""Thousands of random searches against every Item looked at: `python -m conformance.differential`.

    python -m conformance.differential [--examples 5000] [--seed 1]

Ends with 1 if an answer differs, or if more than 2 % of the searches are refused as too wide.
"""

import argparse
import sys

from conformance.differential.archives import world
from conformance.differential.proof import prove


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare searches with every Item looked at.")
    parser.add_argument("--examples", type=int, default=5000, help="searches to draw")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from")
    given = parser.parse_args()
    with world() as everything:
        tally = prove(everything, given.examples, given.seed)
    print(tally.summary(), flush=True)
    sys.exit(not tally.good)


if __name__ == "__main__":
    main()
