"""Studies with factors as the plan would write them, and results to go with them."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.final import final_values
from ablate.analysis.metric import Metric
from tests.analysis.table import table

FD = Metric("fd", "ratio", higher_is_better=False)
PLAIN = Metric("fd", "difference", higher_is_better=False)


def study(
    factors: dict[str, list[str]],
    runs: list[tuple[str, ...]] | None = None,
    design: str = "full_factorial",
    **more: Any,
) -> dict[str, Any]:
    """Return a study.json: every combination of levels, or those of `runs`."""
    runs = list(product(*factors.values())) if runs is None else runs
    arms = [
        {
            "arm": name_of(factors, run),
            "tricks": [],
            "refused": [],
            "doubts": [],
            "levels": dict(zip(factors, run, strict=True)),
            "seeds": None,
        }
        for run in runs
    ]
    return {
        "design": design, "reference": "reference", "seeds": [], "arms": arms, "factors": factors,
        "aliases": [], "permutations": {}, "analysis": {},
    } | more  # fmt: skip


def switches(names: str) -> dict[str, list[str]]:
    """Return one factor a letter, off and on."""
    return {name: ["off", "on"] for name in names}


def name_of(factors: dict[str, list[str]], run: tuple[str, ...]) -> str:
    changed = [
        name if len(levels) == 2 else f"{name}={level}"
        for (name, levels), level in zip(factors.items(), run, strict=True)
        if level != levels[0]
    ]
    return "+".join(changed) or "reference"


def fraction(factors: str, generators: dict[str, str]) -> dict[str, Any]:
    """Return a regular fraction; a generator `-ab` is minus the product of a and b."""
    basic = [name for name in factors if name not in generators]
    runs = []
    for signs in product((-1, 1), repeat=len(basic)):
        sign = dict(zip(basic, signs, strict=True))
        for name, word in generators.items():
            minus = -1 if word.startswith("-") else 1
            sign[name] = minus * int(np.prod([sign[letter] for letter in word.lstrip("-")]))
        runs.append(tuple("on" if sign[name] > 0 else "off" for name in factors))
    return study(switches(factors), runs, "fractional_factorial")


def results(values: dict[str, list[float | None]], metric: Metric = FD) -> pd.DataFrame:
    """Return `final_values` of arm -> a value a seed; None failed, NaN has not run."""
    frame = table(values)
    frame = frame[~((frame["status"] == "done") & frame["value"].isna())]
    return final_values(frame, metric)


def noisy(plan: dict[str, Any], seeds: int, sd: float = 0.1, seed: int = 0) -> dict[str, list]:
    """Return arm -> values: seeds that differ, and noise."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.2, size=seeds)
    return {
        arm["arm"]: list(20 * np.exp(common + rng.normal(0, sd, size=seeds)))
        for arm in plan["arms"]
    }
