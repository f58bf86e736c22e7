"""`python -m stacbridge` is `stacbridge`."""

from stacbridge.cli import main

if __name__ == "__main__":
    main(prog_name="stacbridge")
