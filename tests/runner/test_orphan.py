"""Who works for a process that is killed ends with it, and saves first what it is at."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ablate.disk import is_running
from ablate.runner import orphan
from tests.small import PATIENCE

ROOT = Path(__file__).parents[2]
FAMILY = """
import multiprocessing, os, sys, time
from pathlib import Path
from ablate.runner import orphan

def work(kind, place):
    orphan.GRACE_SECONDS = 1.0 if kind == "stuck" else 600.0  # to save, on a busy machine
    orphan.watch_parent()
    orphan.watch_parent()  # at every job
    if kind == "idle":
        say_who(place)
        time.sleep(1000)
    with orphan.at_work():
        say_who(place)
        while kind == "stuck" or not orphan.is_orphaned():
            time.sleep(0.01)
        time.sleep(0.1)
        (place / "saved").touch()
    time.sleep(1000)

def say_who(place):
    (place / "new").write_text(str(os.getpid()))
    (place / "new").rename(place / "pid")

if __name__ == "__main__":
    job = sys.argv[1], Path(sys.argv[2])
    multiprocessing.get_context("fork").Process(target=work, args=job).start()
    time.sleep(1000)
"""


def wait_for(what):
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["idle", "busy", "stuck"])
def test_a_worker_ends_with_its_parent(tmp_path, kind):
    parent = subprocess.Popen(
        [sys.executable, "-c", FAMILY, kind, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    wait_for((tmp_path / "pid").exists)
    worker = int((tmp_path / "pid").read_text())
    time.sleep(2 * orphan.LOOK_SECONDS)
    assert is_running(worker), "its parent lives"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not is_running(worker))
    assert (tmp_path / "saved").exists() == (kind == "busy")


def test_a_process_that_nobody_started_for_himself_is_left_alone():
    orphan.watch_parent()
    assert not orphan.is_orphaned()
