"""The states of an order, whatever comes: it moves on within a week, or ends and says why."""

from hypothesis import given
from hypothesis import strategies as st

from stacbridge.errors import OrderUnclear, QuotaExceeded, UpstreamTimeout
from stacbridge.model import Progress
from stacbridge.orders.records import FINISHED, Product
from stacbridge.orders.transitions import Rules, followed, held_back, revived, sent, taken, troubled, unclear
from stacbridge.orders.transitions import unsent as not_sent
from tests.orders.archives import URL

MOVES = st.sampled_from(["poll", "unknown", "trouble", "quota", "unclear", "unsent", "taken", "send"])


@given(st.lists(MOVES, max_size=60), st.floats(0, 5 * 86400))
def test_whatever_an_archive_does_every_order_moves_on_or_ends_with_a_reason(
    moves: list[str], step: float
) -> None:
    rules, now = Rules(), 1e9
    product = Product(1, URL, "toy", "c", "A", "intended", now, now, next_at=now)
    for move in moves:
        now += step
        product = moved(product, move, now, rules)
        if product.state in FINISHED:
            assert product.state == "succeeded" or product.reason
            assert revived(product, now, online=False).next_at == now
            return
        assert product.next_at is not None and now <= product.next_at <= now + 7 * 86400
        assert product.sends <= 1 + moves.count("send")


def moved(product: Product, move: str, now: float, rules: Rules) -> Product:
    failure = UpstreamTimeout("Late.")
    if product.state == "intended":
        if move == "send":
            return unclear(sent(product, now), OrderUnclear("Who knows."), now, rules, 60)
        if move == "quota":
            return held_back(sent(product, now), QuotaExceeded("Full.", retry_after=60), now, rules)
        if move == "taken":
            return taken(sent(product, now), Progress("O", "ordered"), now, rules)
        return not_sent(product, failure, now, rules)
    if product.state == "sending":
        return unclear(product, failure, now, rules, 60)
    if move == "unknown":
        return followed(product, Progress("O", None), now, rules)
    if move == "trouble":
        return troubled(product, failure, now, rules)
    return followed(product, Progress("O", "shipping"), now, rules)
