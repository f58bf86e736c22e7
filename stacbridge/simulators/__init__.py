"""Upstream services to run on loopback: real HTTP servers that import nothing of the rest of the package."""

from .clock import Clock, ManualClock, SystemClock
from .control import RequestRecord
from .faults import LOGIN_PAGE, Failure, Faults
from .server import CDSE, Addresses, CdseSimulator

__all__ = [
    "CDSE",
    "LOGIN_PAGE",
    "Addresses",
    "CdseSimulator",
    "Clock",
    "Failure",
    "Faults",
    "ManualClock",
    "RequestRecord",
    "SystemClock",
]
