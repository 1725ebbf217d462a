"""Trial-steps per second of K trials as one stack, against the textbook's one after the other.

    python -m benchmarks.stack [--only mlp dc8 dc32-bf16] [--trials 1 16 64] [--device cuda]
    [--forms eager compiled graph] [--blocks 7] [--seconds 0.5] [--threads 2] [--workers 2]

A trial-step is one batch shown to D and all updates that follow from it, of one trial. T and T' are
the two textbooks (`benchmarks.textbook`), which train one trial after the other; of a workload in
bfloat16 T' is timed in bfloat16 too. "last" lays images out with channels last. Compilation is not
in the rates; its seconds stand beside them. A form whose gate fails has no number.
With --workers, trials are also trained alone, so many at a time in processes of one thread each,
which is how `ablate sweep` trains larger images on a CPU. `benchmarks.workload` says what a name
like dc32-w64-bf16-r1 means.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace

import torch

from ablate.runner.selftest import Law, moved, rung_law
from ablate.train.ladder import first_line
from benchmarks.gates import gates
from benchmarks.interleave import Block, Rates, interleave, line, paced
from benchmarks.workers import Workers
from benchmarks.workload import FORMS, Workload, forms_on, played

BASES = ("T", "T'")


class Row:
    """One workload at one K: its gates, its rates and what they cost to get.

    Attributes:
        rates: Arm -> trial-steps/s; arms whose gate failed are not in it.
        cold: Arm -> seconds of its first periods, compilation and capture included.
        gates: All that was measured.
    """

    rates: Rates
    cold: dict[str, float]

    def __init__(
        self, workload: Workload, trials: int, device: str, layouts: Sequence[bool] | None = None
    ) -> None:
        """Take what is timed; `layouts` says whether channels come last, by default both ways."""
        self.workload, self.trials, self.device = workload, trials, device
        self.layouts = (
            ((False, True) if workload.images else (False,)) if layouts is None else layouts
        )
        self.gates: list[Law] = []
        self.cold = {}

    def measure(self, forms: Sequence[str], blocks: int, seconds: float, workers: int = 0) -> Row:
        """Hold the stack to its laws, then time everything that has passed."""
        self.gates = gates(self.workload, self.device)
        alone: dict[str, Workers] = {}
        stacks: dict[str, Block] = {}
        if all(gate.holds for gate in self.gates):
            stacks, alone = self.stacks(forms), self.alone(forms, workers) if workers else {}
        blocks_of = {name: one.block for name, one in alone.items()}
        arms = self.textbooks() | stacks | blocks_of | {"T again": self.textbook()}
        self.rates = interleave(arms, blocks, seconds)
        for one in alone.values():
            one.close()
        return self

    def alone(self, forms: Sequence[str], workers: int) -> dict[str, Workers]:
        """Return every form in every layout that has passed its gate, of trials alone."""
        arms = {}
        for form in forms:
            for last in self.layouts:
                name = f"{workers} workers {form}" + " last" * last
                one = Workers(replace(self.workload, channels_last=last), form, workers)
                self.gates.append(replace(one.law, name=f"{name} = eager"))
                self.cold[name] = one.cold
                if one.law.holds:
                    arms[name] = one
        return arms

    def textbook(self, careful: bool = False, mixed: bool = False) -> Block:
        return paced(self.workload.loop(self.device, careful, mixed).round, 1, self.device)

    def textbooks(self) -> dict[str, Block]:
        arms = {"T": self.textbook(), "T'": self.textbook(careful=True)}
        if self.workload.mixed:
            arms["T' bf16"] = self.textbook(careful=True, mixed=True)
        return arms

    def stacks(self, forms: Sequence[str]) -> dict[str, Block]:
        """Return every form in every layout that has passed its gate."""
        arms = {}
        for form in forms:
            for last in self.layouts:
                name = form + " last" * last
                workload = replace(self.workload, channels_last=last)
                gan = workload.stack(range(self.trials), self.device)
                start = time.perf_counter()
                try:
                    play = FORMS[form](gan)
                    found = moved(gan, play)
                except Exception as error:  # of a compiler or a driver: the others are still timed
                    self.gates.append(Law(f"{name}: {first_line(error)}", math.inf, 0))
                    continue
                if form != "eager":
                    self.cold[name] = time.perf_counter() - start
                if name != "eager":
                    plain = self.workload.stack(range(self.trials), self.device)
                    self.gates.append(rung_law(name, found, plain))
                    if not self.gates[-1].holds:
                        continue
                steps = self.trials * len(gan.rounds)
                arms[name] = paced(played(gan, play), steps, self.device)
        return arms

    @property
    def failed(self) -> list[Law]:
        return [gate for gate in self.gates if not gate.holds]

    def show(self, blocks: int, seconds: float) -> None:
        told = f"{self.device}, {torch.get_num_threads()} thread(s)"
        print(f"{self.workload.name}, {self.trials} trials: batch 64, {told}, "
              f"{blocks} blocks of {seconds} s")  # fmt: skip
        print("  gates: " + ", ".join(map(str, self.gates)))
        for arm in self.rates:
            cold = f"   first {self.cold[arm]:.0f} s" if arm in self.cold else ""
            print(line(arm, self.rates, BASES) + cold)
        for gate in self.failed:
            print(f"  VOID, no number: {gate.name} is {gate.value:.1e}")
        print(flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ("mlp", "dc8", "dc32", "dc32-bf16")
    parser.add_argument("--only", nargs="+", type=Workload.of, default=[*map(Workload.of, names)])
    parser.add_argument("--trials", nargs="+", type=int, default=[16])
    parser.add_argument("--forms", nargs="+", choices=FORMS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    failed = False
    for workload in args.only:
        for trials in args.trials:
            row = Row(workload, trials, args.device)
            forms = args.forms or forms_on(args.device)
            row.measure(forms, args.blocks, args.seconds, args.workers)
            row.show(args.blocks, args.seconds)
            failed |= bool(row.failed)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
