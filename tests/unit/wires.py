"""Wires to servers on loopback, by a clock that passes only when told to."""

from stacbridge.settings import Settings
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.servers import Clock


def wire(*trusted: str, known: tuple[str, ...] = (), clock: Clock | None = None, **settings: object) -> Wire:
    time = clock or Clock()
    configured = Settings.model_validate(settings)
    return Wire("cdse", configured, Hosts.listed(trusted, known), clock=time, sleep=time.sleep)
