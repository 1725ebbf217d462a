"""A process that works for another does not outlive it.

Who kills a sweep kills one process of many. Its workers hear nothing of it: those of joblib would
wait for a next job for ever, with all the memory of their last one.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from ablate.disk import is_running

LOOK_SECONDS = 0.5
GRACE_SECONDS = 10.0  # to end a round and save; what takes longer is lost, as by any other kill

_orphaned, _resting = threading.Event(), threading.Event()
_resting.set()


@cache  # one watch a process, however many jobs it gets
def watch_parent() -> None:
    """End this process, from now on, when the one that started it has ended.

    It may be called in any process, and does something where multiprocessing (and so joblib)
    started it. Ray ends what works for a process that is gone by itself, and a job of a queue looks
    for its sweep between two rounds (`interrupt.StopFile`). A thread that looks, as the
    signal that Linux can send is bound to the thread that forked, not to its process.
    """
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        threading.Thread(target=_watch, args=(parent.pid,), daemon=True).start()


def is_orphaned() -> bool:
    """Return whether the process that started this one is gone, as far as that is watched."""
    return _orphaned.is_set()


@contextmanager
def at_work() -> Iterator[None]:
    """Within it, an orphan is given the time to save what it is at."""
    _resting.clear()
    try:
        yield
    finally:
        _resting.set()


def _watch(parent: int) -> None:
    while is_running(parent):
        time.sleep(LOOK_SECONDS)
    _orphaned.set()
    _resting.wait(GRACE_SECONDS)
    os._exit(1)  # nobody waits for us, and what ends an interpreter would wait for the parent
