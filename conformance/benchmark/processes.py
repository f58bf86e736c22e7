"""Processes under measurement: started, watched and ended here."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return user and system time that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_megabytes(pid: int) -> float:
    """Return the highest resident memory that a process has had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"no VmHWM for process {pid}")


def until_answered(url: str, process: subprocess.Popen[str], seconds: float = 30) -> float:
    """Ask `url` until it answers 200; return the seconds that took."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return time.perf_counter() - begun
        except (urllib.error.URLError, OSError):
            time.sleep(0.005)
    raise TimeoutError(f"{url} did not answer within {seconds} s")


@contextmanager
def simulator(*options: str) -> Iterator[dict[str, Any]]:
    """Run the CDSE simulator; yield what it announces."""
    command = [sys.executable, "-m", "stacbridge.simulators", "--announce-json", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def environment(announced: dict[str, Any]) -> dict[str, str]:
    """Return the environment that points a bridge at a running simulator."""
    return os.environ | {
        "STACBRIDGE_ENDPOINTS__CDSE__CATALOGUE": announced["catalogue_url"],
        "STACBRIDGE_ENDPOINTS__CDSE__DOWNLOAD": announced["download_url"],
        "STACBRIDGE_ENDPOINTS__CDSE__TOKEN": announced["token_url"],
        "STACBRIDGE_CREDENTIALS__CDSE__USERNAME": announced["username"],
        "STACBRIDGE_CREDENTIALS__CDSE__PASSWORD": announced["password"],
    }


@contextmanager
def bridge(announced: dict[str, Any]) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """Run the bridge against a simulator; yield its process, its URL and the seconds to its first 200."""
    port = free_port()
    command = [sys.executable, "-m", "stacbridge", "serve", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, text=True, env=environment(announced)
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            yield process, url, until_answered(f"{url}/", process)
        finally:
            process.terminate()
