"""The proofs of `python -m conformance.orders`, in short unless told otherwise, each in a process of its own,
which forks."""

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.faults.kit import full
from tests.postgres import missing

ROOT = Path(__file__).parents[2]
PATIENCE = 3600
"""Seconds that a proof may take, of which the long ones need several hundred."""


def prove(*options: str) -> str:
    command = [sys.executable, "-m", "conformance.orders", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_f35_orders_outlive_kills_and_none_is_sent_twice() -> None:
    kills = "500" if full() else "15"
    assert f"kills: pass: {kills} x SIGKILL" in prove("--kills", kills, "--products", "0", "--seconds", "0")


def test_f38_replicas_that_want_the_same_products_order_each_once() -> None:
    if reason := missing():
        pytest.skip(reason)
    products = "1000" if full() else "60"
    told = prove("--kills", "0", "--products", products, "--seconds", "0")
    assert f"{products} orders upstream, 0 twice, 0 unfinished" in told


def test_the_rates_of_both_stores_are_measured() -> None:
    assert "orders/s, floor" in prove("--kills", "0", "--products", "0", "--seconds", "0.2")
