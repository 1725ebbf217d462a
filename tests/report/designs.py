"""Results folders of studies with a design, their effects known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.store.synthetic import write

EFFECTS = {"r1": -0.35, "ema_g": -0.12, "batch_norm": 0.1, "label_smooth": 0.0}
TOGETHER = {("r1", "ema_g"): 0.2}  # what each gives is not what both give


def write_design(
    folder: Path,
    plan: Mapping[str, Any],
    seeds: int,
    sd: float = 0.04,
    failing: Iterable[tuple[str, int]] = (),
) -> Path:
    """Write `plan` and a trial for every arm and seed; `failing` ones diverge."""
    rng, broken = np.random.default_rng(0), set(failing)
    common = rng.normal(0, 0.1, seeds)
    folder.mkdir(parents=True, exist_ok=True)
    named = dict(plan) | {"seeds": list(range(seeds))}
    (folder / "study.json").write_text(json.dumps(named, indent=1, sort_keys=True))
    for arm in plan["arms"]:
        noise = rng.normal(0, sd, seeds)
        if arm["refused"]:
            continue
        on = {name for name, level in arm["levels"].items() if level != plan["factors"][name][0]}
        logs = sum(effect for name, effect in EFFECTS.items() if name in on)
        logs += sum(effect for pair, effect in TOGETHER.items() if set(pair) <= on)
        for seed in range(seeds):
            if arm["seeds"] is not None and seed not in arm["seeds"]:
                continue
            value = 20 * float(np.exp(logs + common[seed] + noise[seed]))
            write(folder, arm["arm"], seed, None if (arm["arm"], seed) in broken else value)
    return folder
