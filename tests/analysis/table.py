"""Results as another trainer would hand them in: a table, no folder."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pandas as pd

from ablate.store.schema import RESULTS, conform

FD: dict[str, Any] = {"scale": "ratio", "higher_is_better": False}
CONDITIONS = json.dumps({"data": {"name": "digits"}})


def table(values: dict[str, list[float | None]], images: int = 4000, generator: str = "raw"):
    """Return arm -> a value a seed as `store.read` would; None is a trial that diverged."""
    rows = [
        _row(arm, seed, value, images, generator)
        for arm, row in values.items()
        for seed, value in enumerate(row)
    ]
    return conform(pd.DataFrame(rows), RESULTS)


def _row(arm: str, seed: int, value: float | None, images: int, generator: str) -> dict[str, Any]:
    done = value is not None
    return {
        "study": "table",
        "trial": hashlib.sha256(f"{arm}/{seed}".encode()).hexdigest()[:16],
        "arm": arm,
        "seed": seed,
        "tricks": "{}" if arm == "reference" else json.dumps({arm: {}}),
        "data": "digits",
        "model": "dcgan",
        "budget_images": 4000,
        "conditions": CONDITIONS,
        "status": "done" if done else "diverged",
        "reason": "" if done else "loss_d is nan",
        "images_shown": 4000 if done else 2000,
        "wall_seconds": 20.0 if done else 10.0,
        "device_seconds": 20.0 if done else 10.0,
        "peak_memory_bytes": 1e6,
        "device": "cpu",
        "images": images if done else 2000,
        "generator": generator if done else None,
        "metric": "fd" if done else None,
        "value": float(value) if done else float("nan"),
        "resample_sd": 0.1,
        "protocol": "n=2048" if done else None,
        "mark": "",
    }
