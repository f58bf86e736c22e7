"""Wire, tokens and nodes against the simulator of CDSE, over real HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import SecretStr

from stacbridge.access import nodes
from stacbridge.access.account import Account
from stacbridge.access.flows import drive
from stacbridge.access.oidc import OidcLogin
from stacbridge.access.tokens import TokenBroker
from stacbridge.errors import NotFound, UpstreamError, UpstreamRefused, UpstreamUnavailable
from stacbridge.model import Json, Request
from stacbridge.settings import Credentials, Settings
from stacbridge.simulators import LOGIN_PAGE, CdseSimulator, Failure, Faults, ManualClock
from stacbridge.wire.answers import read_json
from stacbridge.wire.client import Wire
from stacbridge.wire.hosts import Hosts
from tests.servers import Clock


@pytest.fixture
def sim() -> Iterator[CdseSimulator]:
    with CdseSimulator(size=2000, clock=ManualClock()) as running:
        yield running


def wire(sim: CdseSimulator, trusted: tuple[str, ...] = (), **settings: Any) -> Wire:
    hosts = Hosts.listed(trusted or (sim.download_url, sim.catalogue_url), (sim.download_url, sim.token_url))
    clock = Clock()
    return Wire("cdse", Settings(**settings), hosts, clock=clock, sleep=clock.sleep)


def broker(sim: CdseSimulator, password: str | None = None) -> TokenBroker:
    account = Credentials(username=sim.username, password=SecretStr(password or sim.password))
    login = OidcLogin(Account("cdse", account), sim.token_url, "cdse-public")
    return TokenBroker(login, wire(sim).exchange, 60, clock=sim.clock.now, wall=sim.clock.now)


def record(sim: CdseSimulator) -> Json:
    online = "Collection/Name eq 'SENTINEL-2' and contains(Name,'MSIL1C') and Online eq true"
    params = (("$filter", online), ("$top", "1"))
    reply = wire(sim).send(Request("GET", f"{sim.catalogue_url}/Products", params))
    found: Json = read_json(reply, "cdse")["value"][0]
    return found


def bearer(keeper: TokenBroker) -> dict[str, str]:
    return {"Authorization": f"Bearer {keeper.token()}"}


def test_a_node_found_by_wildcards_has_the_size_that_its_listing_told(sim: CdseSimulator) -> None:
    product = record(sim)
    line = wire(sim)
    flow = nodes.find(
        "cdse",
        f"{sim.download_url}/Products({product['Id']})",
        product["Name"],
        ("GRANULE", "*", "IMG_DATA", "*_B02.jp2"),
    )
    node = drive(flow, line.exchange)
    reply = line.send(Request("GET", f"{node.url}/$value", headers=bearer(broker(sim))))
    assert len(reply.body) == node.size
    assert reply.body[4:8] == b"jP  "
    listings = [seen for seen in sim.log if seen.path.endswith("/Nodes")]
    assert [seen.has_authorization for seen in listings] == [False, False]


def test_a_file_that_is_not_in_the_product_is_not_found(sim: CdseSimulator) -> None:
    product = record(sim)
    path = ("GRANULE", "*", "IMG_DATA", "*_B99.jp2")
    with pytest.raises(NotFound, match=r"no files match \*_B99\.jp2"):
        drive(
            nodes.find("cdse", f"{sim.download_url}/Products({product['Id']})", product["Name"], path),
            wire(sim).exchange,
        )


def test_the_move_to_the_download_host_keeps_the_token_where_that_is_listed(sim: CdseSimulator) -> None:
    url = f"{sim.catalogue_url}/Products({record(sim)['Id']})/$value"
    reply = wire(sim).send(Request("GET", url, headers=bearer(broker(sim))))
    assert reply.body.startswith(b"PK")


def test_the_move_to_the_download_host_drops_the_token_where_that_is_not_listed(sim: CdseSimulator) -> None:
    url = f"{sim.catalogue_url}/Products({record(sim)['Id']})/$value"
    with pytest.raises(UpstreamRefused, match="DAT-ZIP-604 Token not found"):
        wire(sim, trusted=(sim.catalogue_url,)).send(Request("GET", url, headers=bearer(broker(sim))))


def test_an_hour_of_downloads_costs_one_session(sim: CdseSimulator) -> None:
    keeper = broker(sim)
    assert isinstance(sim.clock, ManualClock)
    for _ in range(12):
        token = keeper.token()
        assert sim.sessions.check(token) == (sim.username, "live")
        sim.clock.advance(300)
        assert sim.sessions.check(keeper.token()) == (sim.username, "live")
    assert sim.sessions.count() == 1


def test_a_session_that_was_ended_is_replaced(sim: CdseSimulator) -> None:
    keeper = broker(sim)
    ended = keeper.token()
    sim.sessions.close(ended)
    with ThreadPoolExecutor(16) as threads:
        renewed = set(threads.map(keeper.renewed, [ended] * 64))
    assert len(renewed) == 1
    assert sim.sessions.check(renewed.pop()) == (sim.username, "live")
    assert sim.token_requests == 3


def test_a_wrong_password_is_told_in_the_providers_words(sim: CdseSimulator) -> None:
    with pytest.raises(UpstreamRefused, match="invalid_grant: Invalid user credentials"):
        broker(sim, "canary").token()


def test_too_many_sessions_are_told() -> None:
    with CdseSimulator(size=1000, session_limit=1) as sim:
        broker(sim).token()
        with pytest.raises(UpstreamUnavailable, match="too many sessions"):
            broker(sim).token()


def test_a_rate_limit_heals(sim: CdseSimulator) -> None:
    sim.faults = Faults(failure=Failure(status=429, headers=(("retry-after", "2"),), role="catalogue"))
    assert record(sim)["Id"]


def test_the_offset_limit_is_told_in_the_upstreams_words(sim: CdseSimulator) -> None:
    with pytest.raises(
        UpstreamError, match=r"HTTP 422: query\.\$skip: Input should be less than or equal to 10000"
    ):
        wire(sim).send(Request("GET", f"{sim.catalogue_url}/Products", (("$skip", "10001"),)))


def test_a_sign_in_page_is_not_mistaken_for_a_listing(sim: CdseSimulator) -> None:
    product = record(sim)
    sim.faults = Faults(failure=LOGIN_PAGE)
    flow = nodes.find("cdse", f"{sim.download_url}/Products({product['Id']})", product["Name"], ("*.safe",))
    with pytest.raises(UpstreamError, match="an HTML page"):
        drive(flow, wire(sim).exchange)


def test_a_body_cut_short_is_no_answer(sim: CdseSimulator) -> None:
    url = f"{sim.download_url}/Products({record(sim)['Id']})/$value"
    headers = bearer(broker(sim))
    sim.faults = Faults(cut_after_bytes=1000)
    with pytest.raises(UpstreamUnavailable):
        wire(sim, retries=0).send(Request("GET", url, headers=headers))


def test_a_product_is_too_long_for_the_control_plane(sim: CdseSimulator) -> None:
    url = f"{sim.download_url}/Products({record(sim)['Id']})/$value"
    with pytest.raises(UpstreamError, match="more than 4096 bytes"):
        wire(sim, max_reply_bytes=4096).send(Request("GET", url, headers=bearer(broker(sim))))
