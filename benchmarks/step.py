"""Trial-steps per second of the core at K = 1 against the textbook loop, interleaved in one run.

    python -m benchmarks.step [--blocks 41] [--seconds 0.15] [--threads 1] [--only mlp dc8]
    [--compile]

A trial-step is one full round of one trial: D's and G's update. The textbook is T', its faster form
(`benchmarks.textbook`). With one thread, seconds are the processor's, so that other programs take
none of them. "harness" is the core inside its loop, with curves and a listener; checkpoints are
timed apart.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from ablate.train.listener import Listener
from ablate.train.loop import SAVE_SECONDS, Run
from benchmarks.interleave import interleave, line, now, paced, ratios
from benchmarks.workload import FORMS, Workload, played

BUDGET = {"evaluations": 1, "samples": 1, "curve_points": 200}


class Timed(Listener):
    """Ends a run after so many seconds."""

    def __init__(self):
        self.until = 0.0

    @property
    def stop(self):
        return now() > self.until


def harness(gan):
    """The loop as users run it, 200 points a curve in a run of 5000 rounds, without evaluations."""
    listener = Timed()
    run = Run(gan, BUDGET, None, listener=listener)
    run.marks, run.points = set(), range(0, gan.feed.rounds, 25)

    def block(seconds):
        first, start = gan.feed.played, now()
        listener.until = start + seconds
        run.train()
        return (gan.feed.played - first) / (now() - start)

    return block


def saving(gan, folder):
    """Return the share of time that checkpoints take where evaluations are far apart."""
    run = Run(gan, BUDGET, None, folder / "t.pt")
    run.start = start = time.perf_counter()
    run.save()
    return (time.perf_counter() - start) / SAVE_SECONDS


def measure(workload, blocks, seconds, compile_too):
    inside, bare = workload.stack([0]), workload.stack([0])
    arms = {
        "T'": paced(workload.loop(careful=True).round),
        "core": paced(played(bare)),
        "core + harness": harness(inside),
    }
    if compile_too:
        fast = workload.stack([0])
        arms["core compiled"] = paced(played(fast, FORMS["compiled"](fast)))
    arms["T' again"] = paced(workload.loop(careful=True).round)
    rates = interleave(arms, blocks, seconds)
    told = f"{torch.get_num_threads()} thread(s), {blocks} blocks of {seconds} s"
    print(f"{workload.name}: batch 64, {told}")
    for arm in arms:
        print(line(arm, rates, ["T'"]))
    median = 100 * (ratios(rates["core"], rates["core + harness"])[0] - 1)
    with tempfile.TemporaryDirectory() as folder:
        share = saving(inside, Path(folder))
    print(f"  harness costs {median:+.1f} %, checkpoints {100 * share:.2f} % more", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=41)
    parser.add_argument("--seconds", type=float, default=0.15)
    parser.add_argument("--threads", type=int, default=1)
    names = ("mlp", "dc8", "dc28", "dc32")
    parser.add_argument("--only", nargs="+", type=Workload.of, default=[*map(Workload.of, names)])
    parser.add_argument("--compile", action="store_true", help="also time the compiled step")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for workload in args.only:
        measure(workload, args.blocks, args.seconds, args.compile)


if __name__ == "__main__":
    main()
