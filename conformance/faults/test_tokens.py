"""Section A, as far as downloads go: tokens that end, are refused, or may not be seen."""

import hashlib
import logging
import time
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from conformance.faults.identity import behind
from conformance.faults.kit import CUT, PRODUCT, faced, full, whole
from stacbridge.model import Ready, Request
from stacbridge.simulators.chaos import Act, Asked, Chaos
from stacbridge.upstream import Upstream
from tests.unit.download_servers import FILE, TOKEN, Bridge, OneAsset


def test_f01_a_download_outlives_many_tokens() -> None:
    """Each token is good for one connection, which the upstream cuts when it ends."""
    tokens = [f"token-{number}" for number in range(7)]

    def script(number: int, asked: Asked) -> Act:
        used = asked.headers["authorization"].removeprefix("Bearer ")
        good = sum(used == token for token in tokens[: served[0] + 1])
        if not good or used != tokens[served[0]]:
            return Act(401, b'{"message": "expired"}', {"Content-Type": "application/json"})
        served[0] += 1
        return Act(stop_after=len(PRODUCT) // 7 + 1)

    served = [0]
    with faced(script=script, catalogue={"tokens": list(tokens)}) as (bridge, chaos, catalogue):
        answer = bridge.ask()
        assert hashlib.sha256(answer.body).digest() == hashlib.sha256(PRODUCT).digest()
        assert (answer.status, catalogue.renewals) == (200, 6)
        assert chaos.wait(asked=13, busy=0)


class Renewing(OneAsset):
    """The one asset, for who holds a real account at a real provider."""

    def __init__(self, ready: Ready, account: Upstream, file: str) -> None:
        super().__init__(ready, trusted={urlsplit(ready.request.url).netloc})
        self.account, self.file = account, file

    def authorize(self, url: str, method: str = "GET") -> dict[str, str]:
        return self.account.authorize(self.file, method)

    def reauthorize(self, url: str, refused: dict[str, str], method: str = "GET") -> dict[str, str]:
        return self.account.reauthorize(self.file, refused, method)


def test_f01_an_hours_download_with_tokens_of_ten_minutes_is_one_whole_file(tmp_path: Path) -> None:
    """An hour takes six seconds, and a minute in the full form. Connections are cut when their token ends."""
    scale = 60 if full() else 600
    piece = len(PRODUCT) // (3600 * 10 // scale)
    rate = piece * 10

    def script(number: int, asked: Asked) -> Act:
        left = provider.ends.get(asked.headers["authorization"].removeprefix("Bearer "), 0) - time.monotonic()
        if left <= 0:
            return Act(401, b'{"message": "expired"}', {"Content-Type": "application/json"})
        return Act(piece=piece, pause=0.1, stop_after=int(left * rate))

    with behind(tmp_path, life=600 / scale) as (provider, place), Chaos(PRODUCT, script=script) as chaos:
        upstream = place.upstream(token_margin=60 / scale)
        ready = Ready(Request("GET", f"{chaos.url}/product"), FILE, "application/zip", ranges=True)
        began = time.monotonic()
        with Bridge(Renewing(ready, upstream, place.file), download_idle_timeout=5) as bridge:
            answer = bridge.ask()
        took = time.monotonic() - began
        upstream.close()
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(PRODUCT).digest()
    assert took >= 0.9 * 3600 / scale
    assert 6 <= len(provider.grants) <= 8
    assert (provider.grants.count("password"), provider.most) == (1, 1)


def test_f02_a_refused_token_is_renewed_once_for_a_request() -> None:
    with faced(Act(token="fresh"), catalogue={"tokens": ["stale", "fresh"]}) as (bridge, chaos, catalogue):
        assert whole(bridge.ask())
        assert (catalogue.renewals, len(chaos.asked)) == (1, 2)


def test_f02_a_second_refusal_is_502_that_names_the_catalogue() -> None:
    with faced(Act(token="another")) as (bridge, chaos, catalogue):
        answer = bridge.ask()
        assert (answer.status, catalogue.renewals, len(chaos.asked)) == (502, 1, 2)
    assert orjson.loads(answer.body)["upstream"] == "one"


def test_f02_a_token_refused_for_good_mid_way_cuts_the_client() -> None:
    with (
        faced(Act(stop_after=1000), Act(token="another")) as (bridge, chaos, catalogue),
        pytest.raises(CUT),
    ):
        bridge.ask()
    assert (catalogue.renewals, len(chaos.asked)) == (1, 3)


def test_f11_no_token_is_in_an_answer_or_a_log(caplog: pytest.LogCaptureFixture) -> None:
    echo = Act(401, f'{{"message": "{TOKEN} is no good"}}'.encode(), {"Content-Type": "application/json"})
    with caplog.at_level(logging.DEBUG), faced(Act(stop_after=1000), echo) as (bridge, _, _):
        with pytest.raises(CUT):
            bridge.ask()
        body = bridge.ask().body
    assert TOKEN.encode() not in body
    assert TOKEN not in caplog.text
