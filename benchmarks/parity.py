"""Do stacks train as well as trials alone? Two-sample tests on the metrics of whole studies.

    python -m benchmarks.parity [--data ring8 digits] [--seeds 32] [--steps 400] [key=value ...]

The same study (a reference and one trick, so many seeds) is swept twice: every trial alone, in
float32 and eager, and all of an arm in one stack, with the words that are given (rung=compiled
train.precision=bfloat16 train.channels_last=true). Printed for every metric of the last evaluation:
p of Mann-Whitney's and of Kolmogorov and Smirnov's test, and how often a seed's two values agree to
1 %. Rounding is magnified by training, so a seed's values part in time; their distribution must not
move. Expected: p over 0.01 everywhere, of the few dozen printed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from ablate.cli.main import main as ablate
from ablate.store import read

STUDIES = {
    "ring8": ("data=ring8", "model=mlp", "metric=raw"),
    "digits": ("data=digits", "model=dcgan", "model.width=16"),
}
LEAST = 0.01  # p


class Test(NamedTuple):
    """Two samples of one metric of one arm.

    Attributes:
        alone, stacked: Medians.
        ranks: p of Mann and Whitney's test.
        shape: p of Kolmogorov and Smirnov's.
        close: Share of seeds whose two values agree to 1 %.
    """

    arm: str
    metric: str
    alone: float
    stacked: float
    ranks: float
    shape: float
    close: float

    @property
    def passed(self) -> bool:
        return min(self.ranks, self.shape) > LEAST


def swept(name: str, seeds: int, steps: int, out: Path, words: Sequence[str]) -> pd.DataFrame:
    """Sweep the study; return arm, seed, metric and value of its last evaluation."""
    command = [
        "sweep", "one_at_a_time", *STUDIES[name], "trick=[label_smooth]",
        f"study.seeds={[*range(seeds)]}", f"budget.images={64 * steps}", "budget.evaluations=1",
        "budget.samples=1024", "budget.curve_points=1", f"out={out}", *words,
    ]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        if ablate(command):
            raise SystemExit(f"This sweep was refused: {' '.join(command)}")
    return read(out)[["arm", "seed", "metric", "value"]]


def tests(alone: pd.DataFrame, stacked: pd.DataFrame) -> Iterator[Test]:
    """Yield a test of every metric of every arm.

    A value that is missing, of a trial that diverged, counts as larger than any number.
    """
    keys = ["arm", "metric", "seed"]
    both = pd.merge(alone, stacked, on=keys, how="outer", suffixes=("_alone", "_stacked"))
    for (arm, metric), rows in both.groupby(keys[:2]):
        a, b = (rows[f"value_{side}"].fillna(np.inf).to_numpy() for side in ("alone", "stacked"))
        close = np.isclose(a, b, rtol=0.01, atol=0).mean()
        ranks = stats.mannwhitneyu(a, b).pvalue if len({*a, *b}) > 1 else 1.0
        shape = stats.ks_2samp(a, b).pvalue
        yield Test(arm, metric, np.median(a), np.median(b), ranks, shape, close)


def compared(name: str, seeds: int, steps: int, words: Sequence[str]) -> list[Test]:
    """Sweep a study both ways; return its tests."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        alone = swept(name, seeds, steps, place / "alone", ["study.stack=1", "rung=eager"])
        stacked = swept(name, seeds, steps, place / "stack", [f"study.stack={seeds}", *words])
    return list(tests(alone, stacked))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="key=value", help="for the stacked side")
    parser.add_argument("--data", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--steps", type=int, default=400)
    args = parser.parse_args()
    failed = False
    for name in args.data:
        told = " ".join(["a stack", *args.words])
        print(f"{name}: {args.seeds} seeds x {args.steps} steps, alone against {told}")
        found = compared(name, args.seeds, args.steps, args.words)
        for t in found:
            print(f"  {t.arm:<18} {t.metric:<18} median {t.alone:9.4g} {t.stacked:9.4g}   "
                  f"p ranks {t.ranks:.2f}, shape {t.shape:.2f}   same to 1 % {100 * t.close:3.0f} %"
                  + ("" if t.passed else "   FAILED"), flush=True)  # fmt: skip
            failed |= not t.passed
        lowest = min(min(t.ranks, t.shape) for t in found)
        print(f"  lowest of {2 * len(found)} p: {lowest:.3f}", flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
