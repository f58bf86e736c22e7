"""Waiting for what other threads and processes do."""

import threading
from collections.abc import Callable

PATIENCE = 20.0
LOOK = 0.02


def until(done: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Return as soon as `done`; fail after `patience` seconds."""
    never = threading.Event()
    for _ in range(int(patience / LOOK)):
        if done():
            return
        never.wait(LOOK)
    raise AssertionError("It did not happen in time.")
