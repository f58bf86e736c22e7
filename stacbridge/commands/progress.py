"""Progress bars of downloads: one a file, and one for all."""

from threading import Lock
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from stacbridge.commands.terminal import plain
from stacbridge.commands.transfer import Transfer

# Characters of a file's name and of a bar, so that a line fits into 80.
NAME = 26
BAR = 10


class Bars:
    """The bars of all downloads, on stderr; on a terminal only."""

    def __init__(self, total: int | None, console: Console | None = None) -> None:
        shown = console or Console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(BAR),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
        )
        self._progress = Progress(*columns, console=shown, disable=not shown.is_terminal)
        self._whole = self._progress.add_task("all files", total=total)
        self._lock = Lock()

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def file(self, transfer: Transfer) -> "Bar":
        """Add the bar of a file."""
        name = shortened(transfer.path.name)
        task = self._progress.add_task(name, total=transfer.size)
        return Bar(self._progress, name, task, self._whole, self._lock)


class Bar:
    """The bar of one file; a `Watcher`."""

    def __init__(self, progress: Progress, name: str, task: TaskID, whole: TaskID, lock: Lock) -> None:
        self._progress, self._name, self._task, self._whole = progress, name, task, whole
        self._lock = lock
        self._arrived = 0
        self._reason = ""

    def started(self, offset: int, total: int | None) -> None:
        """Bytes will come from `offset` of `total`."""
        self._progress.update(self._task, total=total, description=self._name)
        self._reason = ""
        self._move(offset)

    def advanced(self, count: int) -> None:
        """`count` more bytes have arrived."""
        self._move(self._arrived + count)

    def waiting(self, seconds: int, reason: str) -> None:
        """The next attempt starts in `seconds`; `reason` is told once."""
        self._progress.update(self._task, description=f"again in {seconds} s")
        if reason != self._reason:
            self._reason = reason
            told = plain(f"{self._name}: {reason} Again in {seconds} s.")
            self._progress.console.print(told, markup=False)

    def finish(self) -> None:
        """Take the bar away."""
        self._progress.remove_task(self._task)

    def _move(self, arrived: int) -> None:
        with self._lock:
            self._progress.advance(self._whole, arrived - self._arrived)
            self._progress.update(self._task, completed=arrived)
            self._arrived = arrived


def shortened(name: str) -> str:
    """Return a name in at most `NAME` characters, its start (the mission) and its end (the product)."""
    if len(name) <= NAME:
        return name
    head = NAME // 3
    return f"{name[:head]}…{name[head + 1 - NAME :]}"
