"""All measurements in one run: translation, filters, merging, facade, searches under load, downloads, one
stream beside the least loop, small reads, slow readers.

`python -m conformance.benchmark` takes minutes; with `--short`, a check that all of it still works. Each part
runs in a process of its own, so that none warms up or burdens another.
"""

import argparse
import subprocess
import sys

PARTS = {
    "translate": ["--rounds", "5"],
    "filters": ["--rounds", "5"],
    "merging": ["--rounds", "20"],
    "facade": ["--pages", "20", "--starts", "1"],
    "load": ["--seconds", "0.2", "--rounds", "1"],
    "downloads": ["--size", "64", "--rounds", "1"],
    "loop": ["--size", "64", "--rounds", "1"],
    "reads": ["--reads", "64", "--rounds", "1"],
    "readers": ["--readers", "100"],
}
"""Each part, and what makes it short."""


def main() -> None:
    """Run the parts, and end as the worst of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="few rounds and small files")
    short = parser.parse_args().short
    codes = []
    for part, options in PARTS.items():
        print(f"\n== {part}", flush=True)
        command = [sys.executable, "-m", f"conformance.benchmark.{part}", *(options if short else [])]
        codes.append(subprocess.run(command, check=False).returncode)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
