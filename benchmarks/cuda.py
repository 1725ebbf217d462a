"""All speed goals of a CUDA device in one table, in eight minutes.

    python -m benchmarks.cuda [--device cuda] [--minutes 8]
    python -m benchmarks.cuda --device cpu --tiny     the same code, to see that it runs

Rows are printed as they are measured, the most telling first; what the time does not suffice for is
said to be left out. Each form of play is a row (`benchmarks.stack`: interleaved, gates first, a
failed gate voids). "price" is the best rate without a gradient penalty over the best with one.
Studies are small parts of B6's 48 arms x 16 seeds x 2000 steps, end to end (`benchmarks.study`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch

from ablate.train.ladder import first_line
from benchmarks.count import counted, holds, told
from benchmarks.interleave import ratios
from benchmarks.stack import Row
from benchmarks.study import Size
from benchmarks.study import measure as measure_study
from benchmarks.workload import Workload, forms_on

RESERVE = 45.0  # seconds that a row may take; none is begun later


@dataclass(frozen=True)
class Line:
    """A stack against the textbook.

    Attributes:
        id: Of the goal.
        name: Of the workload.
        trials: In the stack.
        goal: Ratio to T.
        last: Channels last in memory.
        against: Workload without the penalty, whose price is asked for.
    """

    id: str
    name: str
    trials: int
    goal: float
    last: bool = False
    against: str | None = None


LINES = (
    Line("B1", "mlp", 256, 400),
    Line("B2", "dc8", 128, 200),
    Line("B3", "dc32-w64-bf16", 16, 12, last=True),
    Line("B4", "dc32-w64-bf16-r1", 16, 12, last=True, against="dc32-w64-bf16"),
    Line("B9", "mlp", 1, 12),
    Line("B4", "dc8-gp", 128, 12, against="dc8"),
    Line("B3", "dc32-w64", 16, 4, last=True),
    Line("B9", "dc32-w64", 1, 6, last=True),
    Line("B5", "resnet-bf16", 8, 8, last=True),
)


@dataclass
class Table:
    """The measurements, one row after the other.

    Attributes:
        device: Where.
        forms: Of play.
        blocks: Of each arm.
        seconds: Of a block.
        until: No row is begun after it, on the clock of `time.monotonic`.
        lines: Stacks against the textbook.
        nets: Of studies.
        tiny: Two narrow trials for everything.
        best: Workload -> the highest median rate of its forms.
        failed: Whether a gate or a count has failed.
    """

    device: str
    forms: Sequence[str]
    blocks: int
    seconds: float
    until: float
    lines: Sequence[Line] = LINES
    nets: Sequence[str] = ("mlp", "dc8")
    tiny: bool = False
    best: dict[str, float] = field(default_factory=dict)
    failed: bool = False

    def rows(self) -> Iterator[str]:
        """Yield the rows as they are measured."""
        counts = [
            (f"B10 {name} {form}", partial(self.count, name, form))
            for form in self.forms
            for name in ("mlp", "mlp-gp", "dc8", "dc8-gp", "dc32-w64")
        ]
        eager = len(counts) // len(self.forms)
        studies = [(f"B6 {net}", partial(self.study, net)) for net in self.nets]
        stacks = [(f"{one.id} {one.name}", partial(self.stack, one)) for one in self.lines]
        for name, part in (*counts[:eager], *stacks[:4], *studies, *stacks[4:], *counts[eager:]):
            if time.monotonic() > self.until:
                yield f"{name}: left out, the time is over"
            else:
                yield from self.guarded(name, part)
                torch.compiler.reset()

    def guarded(self, name: str, part: Callable[[], Iterator[str]]) -> Iterator[str]:
        """Yield a part's rows; where it breaks, say so and leave the time to the others."""
        try:
            yield from part()
        except Exception as error:  # of a compiler or a driver, on a device seen for the first time
            self.failed = True
            yield f"{name}: VOID, {first_line(error)}"

    def workload(self, name: str) -> Workload:
        found = Workload.of(name)
        return replace(found, width=4) if self.tiny else found

    def stack(self, one: Line) -> Iterator[str]:
        workload, trials = self.workload(one.name), min(one.trials, 2) if self.tiny else one.trials
        row = Row(workload, trials, self.device, [one.last])
        row.measure(self.forms, self.blocks, self.seconds)
        self.failed |= bool(row.failed)
        for gate in row.failed:
            yield f"{one.id:<4} {one.name} x {trials}: VOID, {gate.name} is {gate.value:.1e}"
        for arm, rates in row.rates.items():
            if arm == "T":
                continue
            middle, low, high = ratios(rates, row.rates["T"])
            careful = ratios(rates, row.rates["T'"])[0]
            ours = "T" not in arm
            goal = f"   goal {one.goal:g}: {reached(middle >= one.goal)}" if ours else ""
            yield (
                f"{one.id:<4} {one.name + f' x {trials}':<22} {arm:<16}"
                f" {statistics.median(rates):9.0f} steps/s   to T {middle:7.2f}"
                f" [{low:.2f}, {high:.2f}]   to T' {careful:7.2f}{goal}"
            )
            if ours:
                best = max(self.best.get(f"{one.name} {trials}", 0), statistics.median(rates))
                self.best[f"{one.name} {trials}"] = best
        yield from self.price(one, trials)

    def price(self, one: Line, trials: int) -> Iterator[str]:
        """Yield what a gradient penalty costs, where its workload was measured without it."""
        cheap, dear = (self.best.get(f"{n} {trials}") for n in (one.against, one.name))
        if cheap and dear:
            price = cheap / dear
            yield f"{one.id:<4} {one.name} x {trials}: price {price:.2f}   goal 1.5: " + (
                reached(price <= 1.5)
            )

    def study(self, net: str) -> Iterator[str]:
        size = Size(net, 3, 2, 2, 1, 64) if self.tiny else Size(net, 8, 16, 500, 1)
        for processes, goal in ((1, 100), (2 if self.tiny else 8, 20)):
            ours, theirs, ends = measure_study(
                size, self.device, [], 1, processes, textbook_trials=2 * processes
            )
            whole = ends.total() == size.trials
            self.failed |= not whole
            ratio = theirs[0] / ours[0]
            told = f"{size.arms} arms x {size.seeds} seeds x {size.steps} steps"
            yield (
                f"B6   {net}, {told}: {ours[0]:.0f} s, T in {processes} process(es) "
                f"{theirs[0]:.0f} s, ratio {ratio:.1f}   goal {goal}: {reached(ratio >= goal)}"
                if whole
                else f"B6   {net}, {told}: VOID, {size.trials - ends.total()} trials without result"
            )

    def count(self, name: str, form: str) -> Iterator[str]:
        workload = self.workload(name)
        sizes = (2, 3) if self.tiny else (8, 16) if name == "dc32-w64" else (8, 64)
        found = {k: counted(workload, k, form, self.device) for k in sizes}
        grows, syncs = holds(found)
        self.failed |= grows or syncs
        for k, count in found.items():
            yield f"B10  {name + f' x {k}':<22} {form:<16} {told(count)}"
        good = reached(not grows and not syncs)
        yield f"B10  {name}, {form}: kernels independent of K, no sync: {good}"


def reached(yes: bool) -> str:
    return "reached" if yes else "missed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument(
        "--tiny", action="store_true", help="two narrow trials, to see that it runs"
    )
    args = parser.parse_args()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} sees no CUDA device here; type --device cpu --tiny to "
              "see that the benchmark runs.", file=sys.stderr)  # fmt: skip
        return 2
    until = time.monotonic() + 60 * args.minutes - RESERVE
    if args.tiny:
        table = Table(args.device, ["eager"], 1, 0.01, until, tiny=True)
    else:
        table = Table(args.device, forms_on(args.device), 5, 0.2, until)
    where = torch.cuda.get_device_name(args.device) if args.device.startswith("cuda") else "CPU"
    print(f"{where}, torch {torch.__version__}, batch 64")
    for row in table.rows():
        print(row, flush=True)
    return int(table.failed)


if __name__ == "__main__":
    raise SystemExit(main())
