import io
from pathlib import Path

import pytest
from rich.console import Console

from stacbridge.commands.progress import NAME, Bars, shortened
from stacbridge.commands.transfer import Transfer

PRODUCT = "S1A_IW_GRDH_1SDV_20240601T053321_20240601T053346_054124_0694D9_1CBB_COG.SAFE.zip"


def screen(terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=80, color_system=None), text


@pytest.mark.parametrize(("name", "shown"), [("B02.jp2", "B02.jp2"), (PRODUCT, "S1A_IW_G…1CBB_COG.SAFE.zip")])
def test_a_long_name_keeps_its_start_and_its_end(name: str, shown: str) -> None:
    assert shortened(name) == shown
    assert len(shown) <= NAME


def test_a_bar_fits_into_eighty_columns_with_its_figures() -> None:
    console, text = screen(terminal=True)
    with Bars(3_000_000_000, console) as bars:
        bar = bars.file(Transfer("http://h/x", Path(PRODUCT), 1_000_000_000))
        bar.started(0, 1_000_000_000)
        bar.advanced(500_000_000)
    last = [line for line in text.getvalue().splitlines() if "S1A_IW_G" in line][-1]
    assert "0.5/1.0 GB" in last
    assert len(last) <= 80


def test_a_wait_counts_down_and_tells_its_reason_once() -> None:
    console, text = screen(terminal=True)
    with Bars(None, console) as bars:
        bar = bars.file(Transfer("http://h/x", Path("x.zip")))
        bar.waiting(2, "All connections are taken.")
        bar.waiting(1, "All connections are taken.")
    assert text.getvalue().count("All connections are taken.") == 1
    assert "again in 1 s" in text.getvalue()


def test_a_download_that_starts_again_is_not_counted_twice() -> None:
    console, text = screen(terminal=True)
    with Bars(1000, console) as bars:
        bar = bars.file(Transfer("http://h/x", Path("x.zip"), 1000))
        bar.started(0, 1000)
        bar.advanced(900)
        bar.started(0, 1000)
        bar.advanced(100)
    whole = [line for line in text.getvalue().splitlines() if "all files" in line][-1]
    assert "0.1/1.0 kB" in whole


def test_without_a_terminal_there_are_no_bars_but_waits_are_told() -> None:
    console, text = screen(terminal=False)
    with Bars(None, console) as bars:
        bar = bars.file(Transfer("http://h/x", Path("x.zip")))
        bar.advanced(10)
        bar.waiting(5, "All connections are taken.")
    assert text.getvalue() == "x.zip: All connections are taken. Again in 5 s.\n"
