"""A world in which a trial's result is a formula: a search can be watched without training."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd

from ablate.config.catalog import entry
from ablate.search.arm import ArmSearch
from ablate.search.evidence import Evidence
from ablate.search.rules import Rules
from ablate.search.space import Space
from ablate.trial import Trial

SAMPLERS = {
    "tpe": {"multivariate": True, "group": False, "constant_liar": True, "n_startup_trials": 10,
            "n_ei_candidates": 24},
    "gp": {"n_startup_trials": 5, "deterministic_objective": False},
    "cmaes": {"n_startup_trials": 1, "popsize": None, "sigma0": None, "lr_adapt": False,
              "consider_pruned_trials": False, "with_margin": False, "use_separable_cma": False},
    "qmc": {"qmc_type": "sobol", "scramble": True},
    "random": {},
    "grid": {"points": 3},
}  # fmt: skip
PRUNERS = {
    "none": {},
    "median": {"n_startup_trials": 5, "n_warmup_steps": 0, "interval_steps": 1, "n_min_trials": 1},
    "asha": {"min_resource": 1, "reduction_factor": 4, "min_early_stopping_rate": 0,
             "bootstrap_count": 0},
    "hyperband": {"min_resource": 1, "reduction_factor": 3, "bootstrap_count": 0},
    "wilcoxon": {"p_threshold": 0.1, "n_startup_steps": 2},
}  # fmt: skip
LABELS, GAMMA = (0.8, 0.95), 0.3  # where the formula is lowest


def trial_with(*tricks, evaluations=6, images=640, arm="arm"):
    return Trial(
        tricks={name: dict(entry(name).settings) for name in tricks},
        seed=0,
        data={"name": "made", "fingerprint": "0"},
        model={"name": "mlp"},
        budget={"images": images, "evaluations": evaluations, "samples": 2, "curve_points": 1},
        metric={"extractor": "raw"},
        train={"batch_size": 64, "latent_dim": 2, "precision": "float32", "channels_last": False},
        arm=arm,
    )


def rules_of(sampler="tpe", pruner="none", **changes):
    base = Rules(
        sampler={"name": sampler, **SAMPLERS[sampler]},
        pruner={"name": pruner, **PRUNERS[pruner]},
        trials=12,
        seeds=(1000, 1001, 1002),
        batch=1,
        seed=0,
        metric="fd_raw",
        cost=None,
    )
    return replace(base, **changes)


def search_of(folder, trial=None, rules=None, refusal=lambda _: "", first=()):
    trial = trial or trial_with("label_smooth", "r1")
    ranges = {name: entry(name).search for name in trial.tricks}
    return ArmSearch(
        trial, Space(trial.tricks, ranges), rules or rules_of(), folder, refusal, first
    )


def quality(trial):
    """Return the metric that the formula gives a trial at its end: 1 is the best there is."""
    labels, gamma = trial.tricks.get("label_smooth"), trial.tricks.get("r1", {}).get("gamma", GAMMA)
    off = 0.0
    if labels:
        low, high = LABELS
        off += 20 * ((labels["real_low"] - low) ** 2 + (labels["real_high"] - high) ** 2)
        off += 5 * labels["fake_high"] ** 2
    off += 0.3 * math.log10(gamma / GAMMA) ** 2
    return math.exp(off + 0.05 * np.random.default_rng(trial.seed).normal())


def curve(trial):
    """Return the metric at every evaluation; bad settings are seen to be bad early."""
    n = trial.budget["evaluations"]
    return [quality(trial) * (1 + 3 * (1 - i / n)) for i in range(1, n + 1)]


def train(folder, job, ends=None):
    """Write what training a job's trials would: stopped where the job's pruner says so.

    Args:
        folder: Results folder.
        job: What the search hands out.
        ends: Given a trial, the status it ends with; "done" unless it is given.
    """
    ended = {t.id: ends(t) if ends else "done" for t in job.trials}
    curves = {t.id: curve(t) for t in job.trials}
    n = job.trials[0].budget["evaluations"]
    for i in range(1, n + 1):
        seen = [
            Evidence(
                "" if ended[t.id] == "done" else ended[t.id],
                0,
                tuple(curves[t.id][:i]) if ended[t.id] == "done" else (),
            )
            for t in job.trials
        ]
        if i < n and job.prune(seen):
            break
    for trial in job.trials:
        status = ended[trial.id] if i == n or ended[trial.id] != "done" else "pruned"
        write(folder, trial, status, curves[trial.id][:i] if ended[trial.id] == "done" else [])


def write(folder, trial, status, values):
    path, n = folder / "trials" / trial.id, trial.budget["evaluations"]
    if path.is_dir():  # written before a kill that hit the others of its stack
        return
    path.mkdir(parents=True)
    images = trial.images * len(values) // n if values else trial.images // 2
    (path / "status.json").write_text(
        json.dumps(
            {"status": status, "reason": "", "images": images, "wall_seconds": 1.0,
             "device_seconds": 1.0 + trial.tricks.get("r1", {}).get("gamma", 0.0),
             "peak_memory_bytes": 1}
        )
    )  # fmt: skip
    rows = [
        {"images": trial.images * (i + 1) // n, "generator": g, "metric": "fd_raw", "value": v * f}
        for i, v in enumerate(values)
        for g, f in (("ema", 1.0), ("raw", 2.0))
    ]
    columns = ["images", "generator", "metric", "value"]
    pd.DataFrame(rows, columns=columns).to_parquet(path / "metrics.parquet")


def run(folder, search, ends=None, steps=10_000):
    """Play worker until the budget is spent; return the book."""
    for _ in range(steps):
        book = search.advance()
        if search.is_finished(book):
            return book
        for job in search.jobs(book):
            train(folder, job, ends)
    raise AssertionError("the search does not end")
