"""Trials alone, each in a process of one thread: how a study trains larger images on a CPU."""

from __future__ import annotations

import time
from multiprocessing import get_context
from multiprocessing.connection import Connection

import torch

from ablate.runner.selftest import Law, moved, rung_law
from benchmarks.workload import FORMS, Workload, played


class Workers:
    """Processes that train at the same time, when they are told to.

    Attributes:
        law: Of the form that they play, of the first.
        cold: Seconds of its first periods, compilation included.
    """

    law: Law
    cold: float

    def __init__(self, workload: Workload, form: str, n: int) -> None:
        """Start n of them and wait until all are warm."""
        self.lines: list[Connection] = []
        context = get_context("spawn")
        for seed in range(n):
            ours, theirs = context.Pipe()
            context.Process(target=serve, args=(theirs, workload, form, seed), daemon=True).start()
            theirs.close()
            self.lines.append(ours)
        said = [line.recv() for line in self.lines]  # of all, so that all are ready
        self.law, self.cold = said[0]

    def block(self, seconds: float) -> float:
        """Return the trial-steps/s of all, by the clock on the wall."""
        for line in self.lines:
            line.send(seconds)
        return sum(line.recv() for line in self.lines)

    def close(self) -> None:
        """Let them go."""
        for line in self.lines:
            line.close()


def serve(line: Connection, workload: Workload, form: str, seed: int) -> None:
    """Train a trial for as many seconds as the line says, again and again until it is closed."""
    torch.set_num_threads(1)
    gan, start = workload.stack([seed]), time.perf_counter()
    play = FORMS[form](gan)
    found, cold = moved(gan, play), time.perf_counter() - start
    line.send((rung_law(f"alone {form}", found, workload.stack([seed])), cold))
    period = played(gan, play)
    try:
        while True:
            seconds, start, n = line.recv(), time.perf_counter(), 0
            while not n or time.perf_counter() - start < seconds:
                period()
                n += 1
            line.send(n * len(gan.rounds) / (time.perf_counter() - start))
    except (EOFError, KeyboardInterrupt):
        return
