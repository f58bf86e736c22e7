"""What goes on at the bucket of the spool beside the answers to clients, in one thread."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import random
from threading import Condition, Thread

from stacbridge.download.depot import Depot, Label
from stacbridge.download.outage import Outage
from stacbridge.download.uploads import Stopped
from stacbridge.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from stacbridge.model import Json
from stacbridge.wire.remembered import Remembered

NOTED = 600.0
"""Seconds for which a use of a file is not told to the bucket again."""
SWEEP = 900.0
"""Seconds between two looks at what is too old there, or too much, give or take half of it."""
BEAT = 5.0
"""Seconds between two looks at whether a bucket that rests may be asked again."""
MOST = 10_000
"""Files that may wait to be told of."""
PATIENCE = 5.0
"""Seconds that a part which is being sent may take when the bridge stops."""

log = logging.getLogger(__name__)


class Keeper:
    """Puts files into the bucket, notes there that they are used, and sees to its limits.

    Nobody waits for it: what the bucket does not take for now is tried again, and what it refuses is left in
    the folder, and tried at the next use.
    """

    def __init__(self, depot: Depot, outage: Outage, unfinished: frozenset[str]) -> None:
        """Begin with uploads left `unfinished`, of files by these names."""
        self._depot = depot
        self._outage = outage
        self._waiting: OrderedDict[str, tuple[Label, Path | None]] = OrderedDict()
        self._noted: Remembered[None] = Remembered(NOTED, MOST)
        self._change = Condition()
        self._going = True
        self._due = 0.0
        self._unfinished = unfinished
        self._thread = Thread(target=self._run, name="spool-bucket", daemon=True)
        self._thread.start()

    def note(self, label: Label, path: Path | None) -> None:
        """Note that a file is used, which is at `path`, or in the bucket only; does not block."""
        self._noted.get(label.name, partial(self._enqueue, label, path))

    def standing(self) -> Json:
        """Return how the bucket is: `troubles` are what went wrong there last."""
        troubles = self._outage.troubles
        state = "down" if self._outage.is_down else "failing" if troubles else "ok"
        return {
            "state": state,
            **self._depot.standing(),
            "waiting": len(self._waiting),
            "troubles": troubles,
        }

    def close(self) -> None:
        """End what is being done, after the part that is on its way. Blocks."""
        with self._change:
            self._going = False
            self._change.notify_all()
        self._thread.join(PATIENCE)

    def _enqueue(self, label: Label, path: Path | None) -> None:
        with self._change:
            self._waiting[label.key] = (label, path)
            if len(self._waiting) > MOST:
                self._waiting.popitem(last=False)
            self._change.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Stopped:
                return
            except UpstreamError as failure:
                log.info("The bucket of the spool is left as it is for now: %s", failure)
            except Exception:
                log.exception("The bucket of the spool was left as it is.")

    def _next(self) -> Callable[[], None] | None:
        """Wait for what is to be done next; None when it all ends."""
        with self._change:
            while self._going:
                rest, now = self._outage.seconds, time.monotonic()
                if not rest and now >= self._due:
                    self._due = now + SWEEP * (0.5 + random())
                    return self._sweep
                if not rest and self._waiting:
                    return partial(self._use, *self._waiting.popitem(last=False)[1])
                self._change.wait(min(rest, BEAT) or self._due - now)
        return None

    def _sweep(self) -> None:
        self._depot.tidy(self._unfinished)
        self._unfinished = frozenset()
        self._depot.make_room()

    def _use(self, label: Label, path: Path | None) -> None:
        try:
            self._depot.use(label, path, lambda: self._going)
        except (UpstreamTimeout, UpstreamUnavailable):
            with self._change:
                self._waiting.setdefault(label.key, (label, path))
            raise
        except FileNotFoundError:
            log.info("A file left the spool before it was in the bucket: %s", label.file)
