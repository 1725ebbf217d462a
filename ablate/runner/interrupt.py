"""Ctrl-C: the first one ends after the current interval, the second one at once.

A terminal that is closed asks like the first one, unless `nohup` has told us not to care.

The workers of a study may be other processes. They hear of it through a file in the results folder,
whichever launcher started them.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from ablate.disk import is_gone
from ablate.runner.orphan import is_orphaned
from ablate.screen.letters import say

LOOK_SECONDS = 0.5
HANG_UP = getattr(signal, "SIGHUP", None)  # there is none on Windows


class Interrupt:
    """Within `with Interrupt(...)`, SIGINT, SIGTERM and SIGHUP ask for an end, they make none.

    Attributes:
        code: What the process shall exit with, 128 + the signal, or 0 where nothing was asked.
        twice: Whether to stop at once.
        current: The one of this process, if it has one.
    """

    current: ClassVar[Interrupt | None] = None

    def __init__(self, tell: Callable[[], None] = lambda: None) -> None:
        self.tell, self.code, self.twice = tell, 0, False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in asking():
                self.before[number] = signal.signal(number, self.handle)
        Interrupt.current = self
        return self

    def __exit__(self, *_: object) -> None:
        Interrupt.current = None
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def handle(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        if self.code:
            self.twice = True
            raise KeyboardInterrupt
        self.code = 128 + number
        with suppress(OSError):  # the terminal may be what has gone
            say("\nStopping after this interval; once more stops at once.", sys.stderr)
        self.tell()


class StopFile:
    """A file by which a sweep asks its workers, in whatever process, to stop after an interval.

    It bears the mark of the sweep, so that two people who share a study stop their own workers.

    Attributes:
        sweep: The mark; a worker is told it by whoever launched it.
    """

    def __init__(self, folder: Path, sweep: str) -> None:
        self.path = folder / "claims" / f"stop{sweep}"
        self.looked, self.seen = 0.0, False

    def ask(self) -> None:
        """Ask all workers to stop."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()

    def clear(self) -> None:
        """Let workers work."""
        self.path.unlink(missing_ok=True)

    def __call__(self) -> bool:
        """Return whether to stop: somebody has asked, or the sweep is gone.

        Looks at the disk twice a second at most.
        """
        now = time.monotonic()
        if not self.seen and now - self.looked > LOOK_SECONDS:
            self.looked = now
            self.seen = self.path.exists() or is_gone(self.path.name)
        return self.seen


def asking() -> list[int]:
    """Return the signals by which a person or a machine asks for an end."""
    heeded = HANG_UP is not None and signal.getsignal(HANG_UP) != signal.SIG_IGN  # nohup
    return [signal.SIGINT, signal.SIGTERM, *([HANG_UP] if heeded and HANG_UP else [])]


def leave_signals_to_parent() -> None:
    """Ignore what a terminal sends to all of a worker's family: the parent decides."""
    if Interrupt.current is None and threading.current_thread() is threading.main_thread():
        for number in filter(None, (signal.SIGINT, HANG_UP)):
            signal.signal(number, signal.SIG_IGN)


def asked_here() -> bool:
    """Return whether this process was asked to stop, or has nobody left to work for."""
    return is_orphaned() or (Interrupt.current is not None and Interrupt.current.code != 0)
