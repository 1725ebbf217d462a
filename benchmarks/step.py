"""Trial-steps per second of the core at K = 1 against the textbook loop, interleaved in one run.

    python -m benchmarks.step [--blocks 41] [--seconds 0.15] [--threads 1] [--only mlp dc8]
    [--compile]

A trial-step is one full round of one trial: D's and G's update. Blocks alternate T, core, harness,
T again, so that a slow spell of the machine hits all of them; the ratio is taken block by block,
and the second T against the first shows what the machine alone does to a ratio. With one thread,
seconds are the processor's, so that other programs take none of them. "harness" is the core inside
its loop, with curves and a listener; checkpoints are timed apart.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from ablate.models.dcgan import dcgan
from ablate.models.mlp import mlp
from ablate.train.compile import compiled
from ablate.train.feed import Feed
from ablate.train.loop import SAVE_SECONDS, Listener, Run
from ablate.train.pixels import Pixels
from ablate.train.step import Gan
from ablate.trick import Recipe, TrickSet
from benchmarks import textbook

FOREVER = 10**9  # rounds
WORKLOADS = {
    "mlp": (partial(mlp, width=128), (2,), lambda: textbook.mlp(128)),
    "dc8": (partial(dcgan, width=16), (1, 8, 8), lambda: textbook.dcgan(8, 1, 16)),
    "dc28": (partial(dcgan, width=16), (1, 28, 28), lambda: textbook.dcgan(28, 1, 16)),
    "dc32": (partial(dcgan, width=16), (3, 32, 32), lambda: textbook.dcgan(32, 3, 16)),
}


def make(build, data, rounds=FOREVER):
    toy = data.dim() == 2
    recipe = Recipe(64, 100, "linear" if toy else "tanh", shape=tuple(data.shape[1:]))
    feed = Feed([0], len(data), 64, 100, rounds)
    return Gan(TrickSet(), build, feed, Pixels(data, None, recipe.image_range), recipe)


def core(gan, play):
    feed, rounds = gan.feed, gan.rounds

    def one():
        feed.refill()
        play(rounds[feed.played % len(rounds)])
        feed.count()

    return one


class Timed(Listener):
    """Ends a run after so many seconds."""

    def __init__(self):
        self.until = 0.0

    @property
    def stop(self):
        return now() > self.until


def now():
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def harness(gan):
    """The loop as users run it, 200 points a curve in a run of 5000 rounds, without evaluations."""
    listener = Timed()
    run = Run(gan, {"evaluations": 1, "samples": 1, "curve_points": 200}, None, listener=listener)
    run.marks, run.stride = set(), 25

    def block(seconds):
        first, start = gan.feed.played, now()
        listener.until = start + seconds
        run.train()
        return (gan.feed.played - first) / (now() - start)

    return block


def saving(gan, folder):
    """Return the share of time that checkpoints take where evaluations are far apart."""
    run = Run(gan, {"evaluations": 1, "samples": 1, "curve_points": 200}, None, folder / "t.pt")
    run.start = start = time.perf_counter()
    run.save()
    return (time.perf_counter() - start) / SAVE_SECONDS


def block_of(one):
    def block(seconds):
        n, start = 0, now()
        while now() - start < seconds:
            one()
            n += 1
        return n / (now() - start)

    return block


def show(name, rates, base):
    ratios = [r / b for r, b in zip(rates, base, strict=True)]
    middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
    rate = statistics.median(rates)
    print(f"  {name:<18} {rate:8.0f} steps/s   ratio to T {middle:5.2f}  [{low:.2f}, {high:.2f}]")


def measure(name, blocks, seconds, compile_too):
    build, shape, players = WORKLOADS[name]
    data = torch.randn(2048, 2) if len(shape) == 1 else torch.randint(
        0, 256, (2048, *shape), dtype=torch.uint8
    )  # fmt: skip
    bare, inside = make(build, data), make(build, data)
    arms = {
        "T": block_of(textbook.Loop(players(), data).round),
        "core": block_of(core(bare, bare.play)),
        "core + harness": harness(inside),
    }
    if compile_too:
        fast = make(build, data)
        arms["core compiled"] = block_of(core(fast, compiled(fast)))
    arms["T again"] = block_of(textbook.Loop(players(), data).round)
    for arm in arms.values():
        arm(max(seconds, 0.5))  # warm-up, compilation included
    rates = {arm: [] for arm in arms}
    for _ in range(blocks):
        for arm, block in arms.items():
            rates[arm].append(block(seconds))
    print(f"{name}: batch 64, {torch.get_num_threads()} thread(s), {blocks} blocks of {seconds} s")
    for arm in arms:
        show(arm, rates[arm], rates["T"])
    over = [c / h for c, h in zip(rates["core"], rates["core + harness"], strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        share = saving(inside, Path(folder))
    median = 100 * (statistics.median(over) - 1)
    print(f"  harness costs {median:+.1f} %, checkpoints {100 * share:.2f} % more")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=41)
    parser.add_argument("--seconds", type=float, default=0.15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=list(WORKLOADS))
    parser.add_argument("--compile", action="store_true", help="also time the compiled step")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for name in args.only:
        measure(name, args.blocks, args.seconds, args.compile)


if __name__ == "__main__":
    main()
