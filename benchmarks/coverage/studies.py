"""Simulated studies through the functions of the analysis.

Legend: S studies, A arms, N seeds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ablate.analysis import Decisions, Metric
from ablate.analysis.against import against
from ablate.analysis.metric import Values

FID = Metric("fid", "ratio", higher_is_better=False)
REFERENCE = "reference"
BATCH = 40  # studies in one frame
NOTHING = 1e-9  # an effect so small that `seeds_needed` gives up at once


def results(arms: list[str], values: Values, seeds: Values | None = None) -> pd.DataFrame:
    """Return `[A, N]` values as `final_values` would; NaN failed."""
    count = values.shape[1]
    failed = ~np.isfinite(values).ravel()
    of_arm = np.tile(np.arange(count), (len(arms), 1)) if seeds is None else seeds
    return pd.DataFrame(
        {
            "arm": np.repeat(arms, count),
            "tricks": np.repeat(arms, count),
            "seed": of_arm.ravel(),
            "value": values.ravel(),
            "failed": failed,
            "status": np.where(failed, "diverged", "done"),
            "trial": [f"{arm}/{seed}" for arm in arms for seed in range(count)],
            "generator": "raw",
            "protocol": "simulated",
            "resample_sd": 0.0,
            "images_shown": 1.0,
            "compared_images": 1,
            "last_images": 1,
            "wall_seconds": 1.0,
            "device_seconds": 1.0,
            "peak_memory_bytes": 1.0,
            "device": "",
            "mark": "",
        }
    )


def compared(values: Values, decisions: Decisions | None = None) -> pd.DataFrame:
    """Return the comparison of one study, `[A, N]`, arm 0 the reference."""
    arms = [REFERENCE, *(f"t{k}" for k in range(1, len(values)))]
    references = dict.fromkeys(arms[1:], REFERENCE)
    return against(results(arms, values), references, FID, decisions or Decisions(), NOTHING)


def batched(values: Values, decisions: Decisions | None = None) -> dict[str, Values]:
    """Return columns `[S, A - 1]` of many studies: what does not depend on the other arms.

    Each study has arms and seeds of its own in a frame that several share.
    """
    parts = []
    for some in np.array_split(values, -(-len(values) // BATCH)):
        names = np.array([[f"{s}/{a}" for a in range(some.shape[1])] for s in range(len(some))])
        seeds = np.arange(len(some) * some.shape[2]).reshape(len(some), 1, -1)
        seeds = np.broadcast_to(seeds, some.shape).reshape(names.size, -1)
        final = results(list(names.ravel()), some.reshape(names.size, -1), seeds)
        references = {str(arm): str(row[0]) for row in names for arm in row[1:]}
        parts.append(against(final, references, FID, decisions or Decisions(), NOTHING))
    table = pd.concat(parts)
    shape = (len(values), values.shape[1] - 1)
    wanted = ("effect", "low", "high", "p", "p_equivalence")
    return {name: table[name].to_numpy().reshape(shape) for name in wanted}
