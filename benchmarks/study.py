"""A whole study through `ablate sweep`, against the textbook trained trial by trial.

    python -m benchmarks.study [--net dc8] [--arms 3] [--seeds 16] [--steps 600] [--rounds 1]
    [--processes 2] [--textbook-trials 48] [--device cuda] [key=value ...]

Wall seconds of everything: imports, the plan, compilation (inductor's cache starts empty),
training, metrics, results on the disk. The textbook is T (`benchmarks.textbook`) in so many
processes that share the trials; it scores as often and as many samples, with the same evaluator,
and trains bare networks, while the arms of the study have tricks on. Classifier and statistics of
the real images are made once before, for both. Both sides alternate; with --textbook-trials T
trains fewer trials, whose seconds are multiplied. Words like study.stack=16 or rung=compiled go to
the sweep.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch

from ablate.data import load
from ablate.metrics import Evaluator
from benchmarks import textbook
from benchmarks.interleave import ratios

NETS = {
    "dc8": ("data=digits", "model=dcgan", "model.width=16"),
    "mlp": ("data=ring8", "model=mlp", "model.width=128"),
}
DATA = {"dc8": "digits", "mlp": "ring8"}
# Cheap ones, so that the textbook, which has none, is not far from the same work.
TRICKS = ("label_smooth", "ema_g", "instance_noise", "ttur", "noisy_labels", "init_gauss")


@dataclass(frozen=True)
class Size:
    """How large the study is.

    Attributes:
        net: A key of NETS.
        arms: The reference and random combinations of TRICKS.
        seeds: Of every arm.
        steps: Batches shown to D in a trial.
        evaluations: Of a trial.
        samples: Scored at each.
    """

    net: str = "dc8"
    arms: int = 3
    seeds: int = 16
    steps: int = 600
    evaluations: int = 3
    samples: int = 2048

    @property
    def trials(self) -> int:
        return self.arms * self.seeds

    def words(self) -> list[str]:
        """Return what the sweep is told of it."""
        tricks = TRICKS[: max(2, (self.arms - 1).bit_length())]
        return [
            *NETS[self.net], f"trick=[{','.join(tricks)}]", "study.design=random_subsets",
            f"study.subsets={self.arms - 1}", f"study.seeds={[*range(self.seeds)]}",
            f"budget.images={self.steps * textbook.BATCH}", f"budget.samples={self.samples}",
            f"budget.evaluations={self.evaluations}", "budget.curve_points=50",
        ]  # fmt: skip


def swept(size: Size, folder: Path, device: str, words: Sequence[str]) -> tuple[float, Counter]:
    """Run the study; return its wall seconds and how its trials ended."""
    out = Path(tempfile.mkdtemp(dir=folder)) / "results"
    command = [sys.executable, "-m", "ablate", "sweep", "one_at_a_time", *size.words(),
               f"out={out}", f"cache={folder / 'cache'}", f"device={device}", *words]  # fmt: skip
    fresh = os.environ | {"TORCHINDUCTOR_CACHE_DIR": tempfile.mkdtemp(dir=folder)}
    start = time.perf_counter()
    ended = subprocess.run(command, env=fresh, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    statuses = out.glob("trials/[!.]*/status.json")
    return seconds, Counter(json.loads(file.read_text())["status"] for file in statuses)


def judge_of(size: Size, folder: Path, device: str) -> Evaluator:
    """Return what scores; what it knows of the real images is kept in the folder."""
    dataset = load(DATA[size.net], cache=folder / "cache")
    return Evaluator(dataset, samples=size.samples, cache=folder / "cache", device=device)


def trained(size: Size, seeds: Sequence[int], folder: Path, device: str, threads: int) -> float:
    """Train and score textbook trials one after the other; return their seconds."""
    torch.set_num_threads(threads)
    judge, toy = judge_of(size, folder, device), size.net == "mlp"
    start = time.perf_counter()
    for seed in seeds:
        torch.manual_seed(seed)
        players = textbook.mlp(128) if toy else textbook.dcgan(8, 1, 16)
        loop = textbook.Loop(players, judge.dataset.train.images, device, careful=False)
        marks = {-(-size.steps * i // size.evaluations) for i in range(1, size.evaluations + 1)}
        for step in range(1, size.steps + 1):
            loop.round()
            if step in marks:
                judge.score(sampled(loop, size.samples, toy).unsqueeze(0))
    return time.perf_counter() - start


@torch.no_grad()
def sampled(loop, n: int, toy: bool) -> torch.Tensor:
    fakes = torch.cat([loop.draw() for _ in range(-(-n // textbook.BATCH))])[:n]
    return fakes if toy else ((fakes + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def by_hand(size: Size, folder: Path, device: str, processes: int, trials: int) -> float:
    """Train the textbook's trials in processes of their own; return wall seconds of the study."""
    parts = [part for i in range(processes) if (part := range(trials)[i::processes])]
    threads = max(1, len(os.sched_getaffinity(0)) // processes)
    start = time.perf_counter()
    with ProcessPoolExecutor(len(parts), get_context("spawn")) as workers:
        waiting = [workers.submit(trained, size, p, folder, device, threads) for p in parts]
        spent = max(one.result() for one in waiting)
    seconds = time.perf_counter() - start
    return seconds + spent * (size.trials / trials - 1)  # to start costs once


def measure(size, device, words, rounds=1, processes=2, textbook_trials=None):
    """Alternate both; return the sweep's and the textbook's seconds, and how the trials ended."""
    ours, theirs, ends = [], [], Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judge_of(size, folder, device)
        for _ in range(rounds):
            theirs.append(by_hand(size, folder, device, processes, textbook_trials or size.trials))
            seconds, ended = swept(size, folder, device, words)
            ours.append(seconds)
            ends += ended
    return ours, theirs, ends


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="key=value", help="for the sweep")
    parser.add_argument("--net", choices=NETS, default="dc8")
    for name, value in (("arms", 3), ("seeds", 16), ("steps", 600), ("rounds", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--textbook-trials", type=int)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    size = Size(args.net, args.arms, args.seeds, args.steps)
    ours, theirs, ends = measure(
        size, args.device, args.words, args.rounds, args.processes, args.textbook_trials
    )
    missing = args.rounds * size.trials - ends.total()
    print(f"{size.net}, {args.device}: {size.arms} arms x {size.seeds} seeds x {size.steps} steps, "
          f"{size.evaluations} evaluations of {size.samples} samples")  # fmt: skip
    for name, seconds in ((f"T in {args.processes} process(es)", theirs), ("ablate sweep", ours)):
        middle, low, high = statistics.median(seconds), min(seconds), max(seconds)
        print(f"  {name:<22} {middle:8.1f} s  [{low:.1f}, {high:.1f}]")
    if missing:
        print(f"  VOID, no number: {missing} trials have no result")
        return 1
    middle, low, high = ratios(theirs, ours)
    print(f"  ratio to T {middle:.2f}  [{low:.2f}, {high:.2f}]; trials ended {dict(ends)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
