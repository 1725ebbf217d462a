"""The heart of a process: one thread renews all its claims, be they one or a lease of 64."""

from __future__ import annotations

import os
import threading
from pathlib import Path

BEAT_SECONDS = 3.0

_kept: set[Path] = set()
_beating = threading.Lock()  # held during a beat: what is dropped is not renewed afterwards
_threads: list[threading.Thread] = []


def keep(path: Path) -> None:
    """Renew a file's time of change until it is dropped, or cannot be renewed."""
    with _beating:
        _kept.add(path)
        if not _threads:
            _threads.append(threading.Thread(target=_beat, name="heart", daemon=True))
            _threads[0].start()


def drop(path: Path) -> None:
    """Renew a file no longer."""
    with _beating:
        _kept.discard(path)


def _beat() -> None:
    rest = threading.Event()
    while not rest.wait(BEAT_SECONDS):
        with _beating:
            _kept.difference_update([path for path in _kept if not _renewed(path)])
            if not _kept:
                _threads.clear()
                return


def _renewed(path: Path) -> bool:
    try:
        os.utime(path)
    except OSError:
        return False  # the folder was taken away; the write of the results will say so
    return True


def _of_a_fork() -> None:
    """Forget the parent's thread and its claims: a forked process has neither."""
    _kept.clear()
    _threads.clear()
    _beating.release()


# Forked in the midst of a beat, a child would have a lock that nobody frees.
os.register_at_fork(
    before=_beating.acquire, after_in_parent=_beating.release, after_in_child=_of_a_fork
)
