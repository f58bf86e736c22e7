"""An archive in memory that does what a test tells it to, and orders that are driven by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import SecretStr

from stacbridge.errors import StacbridgeError
from stacbridge.model import Progress
from stacbridge.orders.agenda import Agenda
from stacbridge.orders.book import Book
from stacbridge.orders.database import Database
from stacbridge.orders.driver import Driver
from stacbridge.orders.records import Key, Order
from stacbridge.orders.store import open_store
from stacbridge.orders.transitions import Rules
from stacbridge.orders.workers import Workers
from stacbridge.settings import Settings
from tests.servers import Clock

URL = "https://archive.example"
LEASE, REQUEST = 60.0, 20.0
DAY = 86400.0
ORDERED, SHIPPING = Progress("O-1", "ordered"), Progress("O-1", "shipping")

T = TypeVar("T")


@dataclass
class Script:
    """An `Archive`. Each list is what it answers in turn, the last answer for ever; failures are raised."""

    url: str = URL
    finds: bool = True
    online: list[bool | StacbridgeError] = field(default_factory=lambda: [False])
    place_answers: list[Progress | StacbridgeError] = field(default_factory=lambda: [ORDERED])
    poll_answers: list[Progress | StacbridgeError] = field(default_factory=lambda: [ORDERED])
    find_answers: list[Progress | StacbridgeError | None] = field(default_factory=lambda: [None])
    placed: list[str] = field(default_factory=list)
    polled: int = 0
    during_place: Callable[[], None] = lambda: None

    def under(self, scope: str) -> "Script":
        return self

    def is_online(self, collection: str, item: str) -> bool:
        return _next(self.online)

    def find(self, collection: str, item: str) -> Progress | None:
        return _next(self.find_answers)

    def place(self, collection: str, item: str) -> Progress:
        self.placed.append(item)
        self.during_place()
        return _next(self.place_answers)

    def poll(self, order: str) -> Progress:
        self.polled += 1
        return _next(self.poll_answers)


def opened(store: str) -> Database:
    """The database that a setting `order_store` names."""
    return open_store(Settings(order_store=SecretStr(store), order_connections=4))


def place(book: Book, item: str, principal: str = "ada") -> str:
    """Order an item, and return the order's id."""
    return book.place([Key(URL, "toy", "c", item)], principal, 1.0, str)[0].id


def _next(answers: list[T | StacbridgeError]) -> T:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, StacbridgeError):
        raise answer
    return answer


class Bench:
    """A book, a clock that stands still, and one worker in this thread."""

    def __init__(self, database: Database, archive: Script, rules: Rules | None = None) -> None:
        self.clock = Clock(1_800_000_000.0)
        self.archive = archive
        self.book, self.agenda = Book(database), Agenda(database)
        self.told = 0
        self.driver = Driver(self.agenda, rules or Rules(), LEASE, REQUEST, self.clock, self.clock.sleep)
        self.workers = Workers(self.agenda, {archive.url: archive}, self.driver, (), 1)

    def key(self, item: str = "A") -> Key:
        return Key(self.archive.url, "toy", "c", item)

    def place(self, item: str = "A", principal: str = "ada", *, online: bool = False) -> Order:
        (order,) = self.book.place(
            [self.key(item)], principal, self.clock(), lambda id: f"http://bridge/orders/{id}", online=online
        )
        return order

    def state(self, order: Order) -> str:
        return self.now(order).state

    def now(self, order: Order) -> Order:
        found = self.book.order(order.id, order.principal)
        assert found is not None
        return found

    def states(self, order: Order) -> list[str]:
        """The states that an order has been in."""
        return [event.state for event in self.book.events(self.now(order))]

    def reasons(self, order: Order) -> list[str]:
        """Why it was in each of them."""
        return [event.reason or "" for event in self.book.events(self.now(order))]

    def work(self) -> None:
        """Do all that is due now."""
        while self.workers.work():
            pass

    def wait(self, seconds: float) -> None:
        """Let time pass, and do what comes due, whenever it does."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.work()
            due = self.agenda.next_due([self.archive.url]) or end
            self.clock.now = min(end, due if due > self.clock.now else self.clock.now + 30)
        self.work()
