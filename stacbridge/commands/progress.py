"""Progress bars of downloads: one a file, and one for all."""

from threading import Lock
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as Speed

from stacbridge.commands.transfer import Transfer


class Bars:
    """The bars of all downloads, on stderr; on a terminal only."""

    def __init__(self, total: int | None) -> None:
        columns = (
            TextColumn("{task.description}", table_column=None),
            BarColumn(bar_width=20),
            DownloadColumn(),
            Speed(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}"),
        )
        console = Console(stderr=True)
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._whole = self._progress.add_task("all files", total=total, state="")
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
        task = self._progress.add_task(transfer.path.name, total=transfer.size, state="")
        return Bar(self._progress, task, self._whole, self._lock)


class Bar:
    """The bar of one file; a `Watcher`."""

    def __init__(self, progress: Progress, task: TaskID, whole: TaskID, lock: Lock) -> None:
        self._progress, self._task, self._whole, self._lock = progress, task, whole, lock
        self._arrived = 0

    def started(self, offset: int, total: int | None) -> None:
        """Bytes will come from `offset` of `total`."""
        self._progress.update(self._task, total=total, state="")
        self._move(offset)

    def advanced(self, count: int) -> None:
        """`count` more bytes have arrived."""
        self._move(self._arrived + count)

    def waiting(self, seconds: int, reason: str) -> None:
        """The next attempt starts in `seconds`."""
        self._progress.update(self._task, state=f"{reason} Again in {seconds} s")

    def finish(self) -> None:
        """Take the bar away."""
        self._progress.remove_task(self._task)

    def _move(self, arrived: int) -> None:
        with self._lock:
            self._progress.advance(self._whole, arrived - self._arrived)
            self._progress.update(self._task, completed=arrived)
            self._arrived = arrived
