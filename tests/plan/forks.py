"""Sweeps in forked processes, which start in a blink and can be killed one by one.

Importing what a sweep needs takes seconds. A server process does it once and then forks: a sweep,
which forks its workers. The code that runs is the command line's; only the launcher is another.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

import sklearn.datasets  # noqa: F401  # of these, nobody imports before they are needed
import torch
import torch.fx.experimental.symbolic_shapes
from hydra._internal.core_plugins import basic_launcher
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus

import ablate.cli.hydra_app
import ablate.plan.launch
import ablate.runner.stack
from ablate.cli.main import main
from tests.small import PATIENCE

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload([__name__])


def start(folder: Path, words: list[str]) -> multiprocessing.process.BaseProcess:
    """Start a command in a folder, in a session of its own."""
    process = SERVER.Process(target=sweep, args=(str(folder), words))
    process.start()
    return process


def run(folder: Path, words: list[str]) -> int:
    """Run a command to its end; return its exit code."""
    process = start(folder, words)
    process.join(PATIENCE)
    assert process.exitcode is not None, "the command hangs"
    return process.exitcode


def sweep(folder: str, words: list[str]) -> None:
    """Run a command whose workers are forked; `log` tells what it prints, and what is trained."""
    os.setsid()
    os.chdir(folder)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    torch.set_num_threads(1)
    Plugins.instance()  # imports every plugin, and those that were imported once more
    basic_launcher.BasicLauncher.launch = forking(basic_launcher.BasicLauncher.launch)
    fit = ablate.runner.stack.fit

    def told(trials, *rest):
        os.write(1, "".join(f"trained {trial.id}\n" for trial in trials).encode())
        return fit(trials, *rest)

    ablate.runner.stack.fit = told
    code = main(words)
    sys.stdout.flush()
    os._exit(code)


def forking(launch):
    """Return a launcher's method that runs every job in a fork, all at once."""

    def fork(self, job_overrides, initial_job_idx):
        sys.stdout.flush()
        pids = []
        for number, job in enumerate(job_overrides):
            pids.append(os.fork())
            if not pids[-1]:
                failed = True
                try:
                    failed = launch(self, [job], number)[0].status is not JobStatus.COMPLETED
                finally:
                    os._exit(failed)
        if any([os.waitpid(pid, 0)[1] for pid in pids]):
            raise ChildProcessError("a worker died")
        return []

    return fork


def workers(pid: int) -> list[int]:
    """Return the workers of a sweep."""
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def wait_until_gone(session: int) -> None:
    """Wait until no process of a session runs."""
    deadline = time.monotonic() + PATIENCE
    while any(runs_in(session, stat) for stat in Path("/proc").glob("[0-9]*/stat")):
        assert time.monotonic() < deadline, "a worker outlives its study"
        time.sleep(0.02)


def runs_in(session: int, stat: Path) -> bool:
    """Return whether a process belongs to a session and is more than a name."""
    try:
        state, _, _, of, *_ = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(of) == session and state not in "ZX"
