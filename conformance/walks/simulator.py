"""One simulator in a process of its own: `python -m conformance.walks.simulator sedas '{"size": 20000}'`.

Prints how a bridge reaches it as one line of JSON, and ends when standard input does.
"""

import json
import sys

from stacbridge.simulators.demo import SITES


def main(catalogue: str, options: str) -> None:
    with SITES[catalogue](**json.loads(options)) as site:
        print(json.dumps(site), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
