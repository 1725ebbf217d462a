"""Seconds and peak memory of importing a table, reading it and comparing its arms.

    python -m benchmarks.intake [rows]

Each step in a process of its own. Two tables of as many rows (1,000,000 without an argument): few
trials with many evaluations of five metrics, and one row a trial, which is the worst case.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

METRICS = ("fid", "kid", "precision", "recall", "coverage")


def table(rows: int, arms: int, evaluations: int, metrics: int) -> pd.DataFrame:
    seeds = rows // (arms * evaluations * metrics)
    axes = (arms, seeds, evaluations, metrics)
    arm, seed, images, metric = (axis.ravel() for axis in np.indices(axes))
    value = 20 * np.exp(np.random.default_rng(0).normal(0, 0.1, len(arm)))
    names = np.array(["reference", *(f"arm{k}" for k in range(1, arms))])
    return pd.DataFrame(
        {"arm": names[arm], "seed": seed, "images": 1000 * (images + 1),
         "metric": np.array(METRICS)[metric], "value": value, "status": "done"}
    )  # fmt: skip


def take(file: Path, out: Path) -> None:
    from ablate.importer.table import import_table

    import_table(file, out)


def read(_: Path, out: Path) -> None:
    from ablate.store import read

    read(out)


def compare(_: Path, out: Path) -> None:
    from ablate.report.study import gather

    gather([out])


def measure(step: Callable[[Path, Path], None], file: Path, out: Path) -> None:
    start = time.perf_counter()
    step(file, out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"  {step.__name__:8} {time.perf_counter() - start:6.1f} s  {peak:.2f} GB", flush=True)


def main(rows: int) -> None:
    shapes = {
        "64 arms": (table(rows, 64, max(1, rows // (64 * 25 * 5)), 5), (take, read, compare)),
        "one row a trial": (table(rows, max(2, rows // 100), 1, 1), (take, read)),
    }
    context = multiprocessing.get_context("spawn")
    for name, (frame, steps) in shapes.items():
        with tempfile.TemporaryDirectory() as folder:
            file, out = Path(folder) / "theirs.csv", Path(folder) / "results"
            frame.to_csv(file, index=False)
            print(f"{len(frame):,} rows, {name}, {file.stat().st_size / 1e6:.0f} MB")
            for step in steps:
                process = context.Process(target=measure, args=(step, file, out))
                process.start()
                process.join()
                assert process.exitcode == 0


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
