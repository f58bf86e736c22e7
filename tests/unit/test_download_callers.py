"""What downloads know of callers and orders."""

from pathlib import Path

import orjson

from conformance.faults.kit import PRODUCT, whole
from stacbridge.callers.principal import Principal
from stacbridge.download.address import Address
from stacbridge.download.hooks import Hooks
from stacbridge.model import Pending
from stacbridge.simulators.chaos import Act, Chaos
from tests.unit.download_servers import PATIENCE, Bridge, OneAsset, in_front_of, within

ADA, BOB = {"X-User": "ada"}, {"X-User": "bob"}


def order_of(address: Address, principal: Principal | None) -> str | None:
    return None if principal is None else f"http://bridge/orders/{principal.id}-{address.item}"


def test_what_is_being_staged_names_the_order_to_who_may_see_it() -> None:
    catalogue = OneAsset(Pending("The product is being staged.", 60))
    with Bridge(catalogue, hooks=Hooks(order_of=order_of)) as bridge:
        hers, nobodys = bridge.ask(headers=ADA), bridge.ask()
    assert (hers.status, hers.headers["retry-after"]) == (503, "60")
    assert hers.headers["link"] == '<http://bridge/orders/ada-S2A>; rel="status"'
    assert orjson.loads(hers.body)["status"] == "http://bridge/orders/ada-S2A"
    assert nobodys.status == 503
    assert "link" not in nobodys.headers


def test_a_file_in_the_spool_is_shared_within_an_account_and_never_across(tmp_path: Path) -> None:
    hooks = Hooks(scope_of=lambda principal, catalogue: "service" if principal is None else principal.id)
    with Chaos(PRODUCT, Act(ignore_range=True)) as chaos:
        catalogue = in_front_of(chaos, ranges=False)
        with Bridge(catalogue, hooks=hooks, spool_folder=tmp_path) as bridge:
            for headers, fetches in ((ADA, 1), (ADA, 1), (BOB, 2), ({}, 3), (BOB, 3)):
                assert whole(bridge.ask(headers=headers))
                assert len(chaos.asked) == fetches


def test_a_user_has_no_more_requests_under_way_than_the_setting_says() -> None:
    with (
        Chaos(PRODUCT, Act(stop_after=1000, ending="stall")) as chaos,
        Bridge(in_front_of(chaos), max_streams_per_user=1) as bridge,
        bridge.client(user="ada"),
    ):
        assert chaos.wait(asked=1, busy=1)
        assert bridge.ask("HEAD", headers=ADA).status == 503
        assert bridge.ask("HEAD", headers=BOB).status == 200


def test_bytes_are_put_down_to_who_took_them() -> None:
    with Chaos(PRODUCT, Act()) as chaos, Bridge(in_front_of(chaos)) as bridge:
        assert whole(bridge.ask(headers=ADA))
        assert within(PATIENCE, lambda: bridge.proxy.status()["one"]["bytes_30_days"] == len(PRODUCT))
        assert bridge.proxy.status()["one"]["your_bytes_30_days"] == 0
