"""The circuit breaker, and that it agrees with a model in any order of attempts, ends and time."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from stacbridge.breaker import Breaker
from tests.servers import Clock

FAILURES, SECONDS, PATIENCE = 3, 30, 10


def breaker(clock: Clock) -> Breaker:
    return Breaker(FAILURES, SECONDS, PATIENCE, clock=clock)


def opened(clock: Clock) -> Breaker:
    made = breaker(clock)
    for _ in range(FAILURES):
        made.failed(admitted(made))
    return made


def admitted(made: Breaker) -> int:
    number = made.admit()
    assert number is not None
    return number


def test_it_opens_after_so_many_failures_in_a_row_and_no_sooner() -> None:
    made = breaker(Clock())
    for _ in range(2):
        for _ in range(FAILURES - 1):
            made.failed(admitted(made))
        made.passed(admitted(made))
    assert made.wait() == 0
    for _ in range(FAILURES):
        made.failed(admitted(made))
    assert (made.admit(), made.wait()) == (None, SECONDS)


def test_after_a_while_one_probe_is_let_through_and_its_success_closes_it() -> None:
    clock = Clock()
    made = opened(clock)
    clock.now += SECONDS - 1
    assert made.admit() is None
    clock.now += 1
    probe = admitted(made)
    assert made.admit() is None
    made.passed(probe)
    assert made.admit() is not None


def test_a_failing_probe_opens_it_for_as_long_again() -> None:
    clock = Clock()
    made = opened(clock)
    clock.now += SECONDS
    made.failed(admitted(made))
    assert made.wait() == SECONDS
    clock.now += SECONDS
    assert made.admit() is not None


def test_attempts_that_never_end_are_failures() -> None:
    clock = Clock()
    made = breaker(clock)
    late = [admitted(made) for _ in range(FAILURES)]
    clock.now += PATIENCE
    assert made.admit() is None
    made.passed(late[0])
    assert made.admit() is None


def test_a_probe_that_never_ends_makes_room_for_another() -> None:
    clock = Clock()
    made = opened(clock)
    clock.now += SECONDS
    admitted(made)
    assert made.wait() == PATIENCE
    clock.now += PATIENCE
    assert made.wait() == SECONDS
    clock.now += SECONDS
    assert made.admit() is not None


def test_what_says_nothing_neither_opens_nor_closes_it() -> None:
    clock = Clock()
    made = breaker(clock)
    for _ in range(FAILURES * 2):
        made.withdrawn(admitted(made))
    made.failed(admitted(made))
    clock.now += SECONDS
    made = opened(clock)
    clock.now += SECONDS
    made.withdrawn(admitted(made))
    assert made.admit() is not None
    assert made.admit() is None


class Breaking(RuleBasedStateMachine):
    """The model knows the states by name, and every attempt by what became of it."""

    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = breaker(self.clock)
        self.state = "closed"
        self.in_a_row = 0
        self.opened = 0.0
        self.probe: int | None = None
        self.running: dict[int, float] = {}

    def fall(self, number: int) -> None:
        del self.running[number]
        if self.state == "closed":
            self.in_a_row += 1
            if self.in_a_row == FAILURES:
                self.open()
        elif number == self.probe:
            self.open()

    def open(self) -> None:
        self.state, self.opened, self.in_a_row, self.probe = "open", self.clock.now, 0, None

    @rule(seconds=st.integers(1, SECONDS))
    def wait(self, seconds: int) -> None:
        """Time passes second by second, and what is overdue is noticed at once."""
        for _ in range(seconds):
            self.clock.now += 1
            self.breaker.wait()
            for number, start in list(self.running.items()):
                if self.clock.now - start >= PATIENCE:
                    self.fall(number)

    @rule(target=attempts)
    def try_it(self) -> object:
        number = self.breaker.admit()
        if self.state == "open" and self.clock.now - self.opened >= SECONDS:
            self.state = "half-open"
        may = self.state == "closed" or (self.state == "half-open" and self.probe is None)
        assert (number is not None) == may
        if number is None:
            return multiple()
        if self.state == "half-open":
            self.probe = number
        self.running[number] = self.clock.now
        return number

    @rule(number=consumes(attempts), end=st.sampled_from(["passed", "failed", "withdrawn"]))
    def end(self, number: int, end: str) -> None:
        getattr(self.breaker, end)(number)
        if number not in self.running:
            return
        if end == "failed":
            self.fall(number)
            return
        del self.running[number]
        if self.state == "closed":
            self.in_a_row = 0 if end == "passed" else self.in_a_row
        elif number == self.probe:
            self.probe = None
            if end == "passed":
                self.state, self.in_a_row = "closed", 0

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        assert 0 <= self.breaker.wait() <= SECONDS
        if self.state == "closed":
            assert self.breaker.wait() == 0


Breaking.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreaking = Breaking.TestCase
