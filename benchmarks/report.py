"""How long does a report take, how large is it, and how does analysis grow with rows?

    python -m benchmarks.report [--arms 100] [--seeds 10] [--rows 100000]

Makes a results folder with curves of 200 points, reports it in a process of its own, and prints
seconds, peak memory and the size of the page. Then analyses tables of more and more rows.
Expected: 1,000 trials in under 15 s and 1 GB, 100,000 rows in under 30 s.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from subprocess import run
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from ablate.analysis import Decisions, Metric, compare, metric_of, policies, ranks, reliability
from ablate.analysis.final import final_values
from ablate.store import write_trial
from ablate.store.schema import RESULTS, conform
from ablate.trial import Trial

SIGNALS = ("loss_d", "loss_g", "grad_norm_d", "grad_norm_g", "score_real", "score_fake")
METRICS = ("fd_classifier", "precision", "recall")
IMAGES = 200_000
POINTS = 200
PROTOCOL = "classifier:1a2b3c4d/n=2048/train"
REPORT = (
    "import resource, sys, time; from ablate.report.folder import report; "
    "start = time.perf_counter(); "
    "report([sys.argv[1]], sys.argv[2]); print(time.perf_counter() - start, "
    "time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)"
)


def trial(arm: int, seed: int) -> Trial:
    return Trial(
        tricks={f"trick_{arm}": {"strength": float(arm)}} if arm else {},
        seed=seed,
        data={"name": "cifar10", "fraction": 1.0},
        model={"name": "dcgan", "width": 64},
        budget={"images": IMAGES, "evaluations": 5, "samples": 2048},
        metric={"extractor": "classifier"},
        train={"batch_size": 64, "latent_dim": 100, "precision": "float32"},
        arm=f"trick_{arm}+another_trick" if arm else "reference",
    )


def results(folder: Path, arms: int, seeds: int) -> Path:
    """Write a study whose images are as hard to compress as those of a poor generator."""
    with mock.patch("os.fsync"):  # no power fails here, and a disk's patience is not measured
        for arm, seed in product(range(arms), range(seeds)):
            one(folder, arm, seed)
    return folder


def one(folder: Path, arm: int, seed: int) -> None:
    rng = np.random.default_rng([arm, seed])
    failed = rng.random() < 0.05
    images = np.linspace(0, IMAGES, POINTS + 1).astype(int)[1:]
    curves = pd.DataFrame(
        {
            "images": np.tile(images, len(SIGNALS)),
            "signal": np.repeat(SIGNALS, POINTS),
            "value": rng.normal(1, 0.1, POINTS * len(SIGNALS)),
        }
    )
    at = np.linspace(0, IMAGES, 6).astype(int)[1:]
    metrics = pd.DataFrame(
        {
            "images": np.tile(at, len(METRICS)),
            "generator": "raw",
            "metric": np.repeat(METRICS, 5),
            "value": rng.lognormal(0, 0.1, 5 * len(METRICS)),
            "resample_sd": 0.01,
            "protocol": PROTOCOL,
        }
    )
    status = {
        "status": "diverged" if failed else "done",
        "reason": "loss_d is nan" if failed else None,
        "images": IMAGES // 2 if failed else IMAGES,
        "wall_seconds": float(rng.uniform(100, 200)),
        "device_seconds": 100.0,
        "peak_memory_bytes": 2**28,
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:01:00+00:00",
    }
    coarse = rng.integers(0, 256, (16, 3, 8, 8)).repeat(4, 2).repeat(4, 3)
    grid = np.clip(coarse + rng.normal(0, 8, coarse.shape), 0, 255).astype(np.uint8)
    provenance = {"git": {"commit": "0" * 40, "dirty": False}, "versions": {}, "device": "none"}
    rows = metrics.iloc[:0] if failed else metrics
    write_trial(folder, vars(trial(arm, seed)), status, rows, curves, {"raw": grid}, provenance)


def reported(arms: int, seeds: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder, out = results(Path(root) / "results", arms, seeds), Path(root) / "report"
        command = [sys.executable, "-c", REPORT, str(folder), str(out)]
        told = run(command, check=True, capture_output=True, text=True).stdout.split()
        size = (out / "report.html").stat().st_size / 1e6
    print(
        f"report of {arms} arms x {seeds} seeds, {POINTS}-point curves: {float(told[0]):5.1f} s "
        f"({float(told[1]):.1f} s of CPU, imports too), peak {float(told[2]):.2f} GB, "
        f"report.html {size:.1f} MB"
    )


def frame(arms: int, seeds: int, evaluations: int) -> pd.DataFrame:
    """Return a table of results as `store.read` would give it."""
    rng = np.random.default_rng(0)
    count = arms * seeds * evaluations
    arm = np.repeat(np.arange(arms), seeds * evaluations)
    seed = np.tile(np.repeat(np.arange(seeds), evaluations), arms)
    names = np.array([f"trick_{k}" if k else "reference" for k in range(arms)])
    tricks = np.array([json.dumps({f"trick_{k}": {}}) if k else "{}" for k in range(arms)])
    level = rng.normal(0, 0.1, arms)[arm]
    columns: dict[str, Any] = {column.name: "" for column in RESULTS if column.dtype == "str"}
    columns |= {column.name: 1 for column in RESULTS if column.dtype != "str"}
    columns |= {
        "trial": np.char.add(names[arm], np.char.add("/", seed.astype(str))),
        "arm": names[arm],
        "seed": seed,
        "tricks": tricks[arm],
        "conditions": "{}",
        "status": "done",
        "images": np.tile(np.arange(evaluations), arms * seeds),
        "generator": "raw",
        "metric": "fd_classifier",
        "value": 20 * np.exp(level + rng.normal(0, 0.1, count)),
        "protocol": PROTOCOL,
    }
    return conform(pd.DataFrame(columns), RESULTS)


def analysed(table: pd.DataFrame, metric: Metric) -> None:
    final = final_values(table, metric)
    compare(table, metric.name, "reference")
    ranks(final, metric, Decisions())
    policies(final, "reference", metric)
    reliability(final, "reference")


def timed(function: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arms", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=100_000)
    parsed = parser.parse_args()
    reported(parsed.arms, parsed.seeds)
    reported(64, 10)
    metric = metric_of("fd_classifier")
    for told, shape in (
        ("20 arms x 20 seeds, more evaluations", lambda rows: (20, 20, rows // 400)),
        ("20 arms, 5 evaluations, more seeds", lambda rows: (20, rows // 100, 5)),
    ):
        print(f"analysis of {told}:")
        for rows in (parsed.rows // 100, parsed.rows // 10, parsed.rows):
            table = frame(*shape(rows))
            print(f"  {len(table):8,} rows {timed(analysed, table, metric):6.2f} s", flush=True)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()
