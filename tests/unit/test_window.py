"""A sum over the last seconds, against all that was ever added."""

from hypothesis import given
from hypothesis import strategies as st

from stacbridge.download.window import PARTS, Window
from tests.servers import Clock

SECONDS = 60.0
steps = st.lists(st.tuples(st.floats(0, 90), st.integers(0, 1000)), max_size=40)


@given(steps)
def test_what_came_in_the_last_seconds_is_counted_and_older_things_only_for_a_tenth_longer(
    script: list[tuple[float, int]],
) -> None:
    clock = Clock()
    window, came = Window(SECONDS, clock), list[tuple[float, int]]()
    for pause, amount in script:
        clock.sleep(pause)
        window.add(amount)
        came.append((clock(), amount))
        least = sum(amount for at, amount in came if clock() - at < SECONDS)
        most = sum(amount for at, amount in came if clock() - at <= SECONDS * (1 + 1 / PARTS) + 1e-6)
        assert least <= window.total() <= most


def test_it_says_when_some_of_it_is_forgotten() -> None:
    clock = Clock(0)
    window = Window(SECONDS, clock)
    assert window.wait() == 0
    window.add(5)
    assert SECONDS <= window.wait() <= SECONDS * (1 + 1 / PARTS)
    clock.sleep(window.wait())
    assert (window.total(), window.wait()) == (0, 0)
