"""Rows 23 and 26: an upstream that fails all downloads for a while, and one that slows an account down."""

import socket
import threading

import orjson
import pytest

from conformance.faults.kit import CUT, PRODUCT, Wavering, faced, heard, served, whole
from stacbridge.catalogue import Quota
from stacbridge.model import Json, Ready, Request
from stacbridge.simulators.chaos import Act, Asked, Chaos
from tests.servers import Clock
from tests.unit.download_servers import FILE, PATH, PATIENCE, Bridge, OneAsset, within

HALF = len(PRODUCT) // 2
DOWN = Act(status=503, body=b"")
NEVER = {"download_breaker_failures": 10_000}
"""Settings of a breaker that does not open."""
SOON = {"download_retries": 0, "download_breaker_failures": 4}


def told(body: bytes) -> Json:
    return dict(orjson.loads(body))


def breaker(bridge: Bridge) -> Json:
    """Return how the only host is."""
    (host,) = bridge.proxy.standing()["one"]["hosts"].values()
    return dict(host)


def test_f23_all_downloads_together_turn_to_their_upstream_no_oftener_than_the_budget_says() -> None:
    clock, settings = Clock(), {"download_retry_floor": 5, **NEVER}
    with faced(DOWN, settings=settings, clock=clock) as (bridge, chaos, _):
        answers = [bridge.ask() for _ in range(10)]
        assert len(chaos.asked) == 10 + 5
        assert {answer.status for answer in answers} == {503}
        assert "retries for this account are used up" in told(answers[-1].body)["description"]
        assert 60 <= int(answers[-1].headers["retry-after"]) <= 66
        assert bridge.proxy.standing()["one"]["retries"] == {"made": 5, "left": 0}
        clock.sleep(66)
        bridge.ask()
        assert len(chaos.asked) == 10 + 5 + 1 + 3


def test_f23_the_budget_is_a_share_of_the_downloads_that_began() -> None:
    settings = {"download_retry_floor": 0, "download_retry_share": 0.25, **NEVER}
    acts = [Act()] * 19 + [DOWN]
    with faced(*acts, settings=settings, clock=Clock(), file=PRODUCT[:1000]) as (bridge, chaos, _):
        for _ in range(40):
            bridge.ask()
        assert len(chaos.asked) == 40 + 40 // 4


def test_f23_to_go_on_with_a_running_download_counts_too() -> None:
    settings = {"download_retry_floor": 2, **NEVER}
    with faced(Act(stop_after=100_000), settings=settings, clock=Clock()) as (bridge, chaos, _):
        with pytest.raises(CUT):
            bridge.ask()
        assert len(chaos.asked) == 3


def test_f23_a_host_that_fails_again_and_again_is_left_alone_then_tried_once() -> None:
    clock = Clock()
    with faced(*[DOWN] * 4, Act(), settings=SOON, clock=clock) as (bridge, chaos, _):
        for _ in range(4):
            assert bridge.ask().status == 503
        for _ in range(20):
            refused = bridge.ask()
            assert (refused.status, refused.headers["retry-after"]) == (503, "30")
        assert "asked for no file for now" in told(refused.body)["description"]
        assert (len(chaos.asked), breaker(bridge)) == (4, {"state": "open", "retry_after": 30})
        clock.sleep(30)
        assert whole(bridge.ask())
        assert breaker(bridge) == {"state": "closed", "retry_after": 0}


def test_f23_while_a_host_is_tried_nobody_else_asks_it() -> None:
    clock, stuck = Clock(), Act(silent=True, ending="stall")
    with faced(*[DOWN] * 4, stuck, Act(), settings=SOON, clock=clock) as (bridge, chaos, _):
        for _ in range(4):
            bridge.ask()
        clock.sleep(30)
        with bridge.client():
            assert chaos.wait(asked=5, busy=1)
            assert breaker(bridge)["state"] == "half-open"
            assert [bridge.ask().status for _ in range(10)] == [503] * 10
            assert len(chaos.asked) == 5
        assert chaos.wait(asked=5, busy=0)  # a client that leaves has found nothing out: the next one tries
        assert within(PATIENCE, lambda: breaker(bridge)["state"] == "open")
        assert whole(bridge.ask())


@pytest.mark.parametrize(
    "act",
    [
        Act(status=500, body=b""),
        Act(silent=True, ending="reset"),
        Act(silent=True, ending="stall"),
        Act(stop_after=0),
        Act(stop_after=0, ending="stall"),
    ],
    ids=["500", "reset", "silent", "cut after the head", "silent after the head"],
)
def test_f23_no_answer_and_one_without_bytes_are_failures_of_the_host(act: Act) -> None:
    settings = {**SOON, "download_breaker_failures": 2, "download_idle_timeout": 0.2}
    with faced(act, settings=settings, clock=Clock()) as (bridge, chaos, _):
        for _ in range(4):
            assert bridge.ask().status in (502, 503, 504)
        assert (len(chaos.asked), breaker(bridge)["state"]) == (2, "open")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 416, 429])
def test_f23_what_a_host_refuses_a_client_does_not_open_its_breaker(status: int) -> None:
    settings = {**SOON, "download_breaker_failures": 1}
    with faced(Act(status=status, body=b""), settings=settings, clock=Clock()) as (bridge, chaos, _):
        for _ in range(3):
            bridge.ask(headers={"Range": "bytes=5-"})
        assert len(chaos.asked) >= 3
        assert breaker(bridge)["state"] == "closed"


def test_f23_failed_resumes_of_a_running_download_open_the_breaker() -> None:
    settings = {"download_breaker_failures": 3, "download_retries": 3}
    with faced(Act(stop_after=HALF), DOWN, settings=settings, clock=Clock()) as (bridge, chaos, _):
        with pytest.raises(CUT):
            bridge.ask()
        assert (len(chaos.asked), breaker(bridge)["state"]) == (4, "open")
        assert bridge.ask().status == 503
        assert len(chaos.asked) == 4


def test_f23_a_running_download_waits_until_its_host_is_tried_again_and_goes_on() -> None:
    settings = {"download_breaker_failures": 2, "download_breaker_seconds": 0.5, "download_retries": 4}
    with faced(Act(stop_after=HALF), DOWN, DOWN, Act(), settings=settings) as (bridge, chaos, _):
        assert whole(bridge.ask())
        assert len(chaos.asked) == 4


def test_f23_cuts_of_downloads_that_get_further_each_time_open_nothing() -> None:
    settings = {"download_breaker_failures": 2}
    with faced(*[Act(stop_after=100_000)] * 20, Act(), settings=settings) as (bridge, _, _):
        assert whole(bridge.ask())
        assert breaker(bridge)["state"] == "closed"


def at(chaos: Chaos, id: str) -> OneAsset:
    place = Ready(Request("GET", f"{chaos.url}/product"), FILE, "application/zip", ranges=True)
    return OneAsset(place, id=id)


def test_f23_other_catalogues_go_on_even_on_that_host_and_the_operator_sees_which_is_down() -> None:
    def script(number: int, asked: Asked) -> Act:
        return DOWN if number < 2 else Act()

    settings = {"download_breaker_failures": 2, "download_retries": 0}
    with (
        Chaos(PRODUCT, script=script) as chaos,
        served(at(chaos, "one"), at(chaos, "two"), **settings) as port,
    ):
        for _ in range(3):
            assert heard(port, PATH).status == 503
        assert len(chaos.asked) == 2
        assert whole(heard(port, PATH.replace("/one/", "/two/")))
        assert len(chaos.asked) == 3
        catalogues = told(heard(port, "/health").body)["catalogues"]
        figures = heard(port, "/metrics").body.decode()
    host = chaos.url.removeprefix("http://")
    assert [catalogues[id]["downloads"]["hosts"][host]["state"] for id in ("one", "two")] == [
        "open",
        "closed",
    ]
    for id, state in (("one", "open"), ("two", "closed")):
        assert (
            f'stacbridge_download_breaker_state{{catalogue="{id}",host="{host}",state="{state}"}} 1.0'
            in figures
        )
    assert 'stacbridge_download_retries_left{catalogue="one"} 30.0' in figures


def test_f23_searches_go_on_while_a_catalogues_files_cannot_be_had() -> None:
    with Chaos(PRODUCT, DOWN) as chaos, served(Wavering("two"), at(chaos, "one"), download_retries=0) as port:
        for _ in range(12):
            assert heard(port, PATH).status == 503
        assert len(told(heard(port, "/search").body)["features"]) == 3


RATE = 2_500_000
"""Bytes a second that the upstream gives accounts whose quota is used up."""
THROTTLED = Act(piece=100_000, pause=0.06)
"""Somewhat slower than that."""
MEASURED = {"throttle_seconds": 0.5}


def test_f26_an_account_slowed_down_for_its_quota_is_told_from_a_slow_upstream() -> None:
    quota, clock = Quota(2 * len(PRODUCT), RATE, 1), Clock()
    with faced(THROTTLED, THROTTLED, Act(), catalogue={"quota": quota}, settings=MEASURED, clock=clock) as (
        bridge,
        _,
        _,
    ):

        def pace() -> str:
            return str(bridge.proxy.standing()["one"]["pace"])

        assert whole(bridge.ask())
        assert within(PATIENCE, lambda: pace() == "slow")  # with half of it taken
        assert bridge.proxy.load()["one"]["allowed"] == 4
        assert within(PATIENCE, lambda: bridge.status()["one"]["bytes_30_days"] == len(PRODUCT))
        assert whole(bridge.ask())
        assert within(PATIENCE, lambda: pace() == "throttled")
        assert bridge.proxy.load()["one"]["allowed"] == 1
        assert any("used up their quota" in warning for warning in bridge.proxy.warnings()["one"])
        clock.sleep(330)
        assert whole(bridge.ask())
        assert within(PATIENCE, lambda: pace() == "normal")
        assert bridge.proxy.load()["one"]["allowed"] == 4


def test_f26_the_operator_sees_that_an_account_is_throttled() -> None:
    quota = Quota(len(PRODUCT), RATE, 1)
    with Chaos(PRODUCT, THROTTLED) as chaos:
        one = at(chaos, "one")
        one.quota = quota

        def standing(port: int) -> Json:
            return dict(told(heard(port, "/health").body)["catalogues"]["one"])

        with served(one, **MEASURED) as port:
            assert whole(heard(port, PATH))
            assert within(PATIENCE, lambda: bool(standing(port)["warnings"]))
            assert whole(heard(port, PATH))
            assert within(PATIENCE, lambda: standing(port)["downloads"]["pace"] == "throttled")
            health, figures = standing(port), heard(port, "/metrics").body.decode()
            slots = told(heard(port, "/slots").body)["one"]
    assert 0 < health["downloads"]["bytes_second"] <= RATE
    assert len(health["warnings"]) == 2 and health["warnings"] == slots["warnings"]
    assert (health["slots"]["connections"], health["slots"]["allowed"]) == (4, 1)
    assert 'stacbridge_download_pace{catalogue="one",pace="throttled"} 1.0' in figures
    assert 'stacbridge_account_warnings{catalogue="one"} 2.0' in figures


def test_f26_a_client_that_reads_slowly_is_not_taken_for_an_upstream_that_sends_slowly() -> None:
    rate, file = 10_000_000, PRODUCT * 4
    settings = {**MEASURED, "throttle_seconds": 0.5}
    with (
        faced(Act(), file=file, catalogue={"quota": Quota(1, rate, 1)}, settings=settings) as (
            bridge,
            _,
            one,
        ),
        bridge.client() as client,
    ):
        left, pause = len(file), threading.Event()
        while left > 0:
            left -= len(client.recv(200_000, socket.MSG_WAITALL))
            pause.wait(0.05)
        assert within(PATIENCE, lambda: bridge.proxy.load()[one.id]["in_use"] == 0)
        assert within(PATIENCE, lambda: bridge.status()[one.id]["bytes_30_days"] == len(file))
        assert bridge.proxy.standing()[one.id]["pace"] == "normal"
