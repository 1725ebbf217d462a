"""Values so bad within their own arm that a collapse may have gone unmarked.

An arm that was searched more than once has a setting in every repeat: its values are held against
those of the same setting, as a search may end at a bad one without any collapse.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ablate.analysis.metric import Metric
from ablate.store.marks import SOUND

SMALLEST_FACTOR = 2.5
SCALES = 4.0
MAD_TO_SD = 1.4826  # of a normal


def suspects(final: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Return the `done` rows whose value lies beyond its setting's median by a suspicious factor.

    One that a person has marked as sound is none, and measures the spread like any other.

    In logs: max(log 2.5, 4 scales), on the worse side. The scale is 1.4826 x the study-wide median
    of absolute residuals from these medians, each corrected by sqrt(n / (n - 1)) for the n seeds
    of its setting. On the difference scale a factor means nothing and no row is returned.
    """
    done = np.flatnonzero(~final["failed"].to_numpy(bool))
    if not metric.is_ratio or not len(done):
        return final[:0]
    logs = np.log(final["value"].to_numpy()[done])
    settings = (final["arm"].astype("str") + "\0" + final["tricks"].astype("str")).to_numpy()[done]
    _, place, sizes = np.unique(settings, return_inverse=True, return_counts=True)
    seeds = sizes[place]
    residual = logs - np.array([np.median(logs[place == one]) for one in range(len(sizes))])[place]
    several = seeds > 1
    corrected = np.abs(residual[several]) * np.sqrt(seeds[several] / (seeds[several] - 1))
    scale = MAD_TO_SD * float(np.median(corrected)) if several.any() else 0.0
    worse = -residual if metric.higher_is_better else residual
    limit = max(float(np.log(SMALLEST_FACTOR)), SCALES * scale)
    found = final.iloc[done[worse > limit]]
    return found[found["mark"] != SOUND]


def named(found: pd.DataFrame) -> list[str]:
    """Return what to call each of `found`: its arm, its seed, and the trial to look at."""
    rows = zip(found["arm"], found["seed"], found["trial"], strict=True)
    return [f"{arm} seed {seed}, trial {trial}" for arm, seed, trial in rows]


def seen_from(arm: str, reference: str, found: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the suspects behind one comparison; those of the reference are named as such.

    Args:
        arm: That is compared.
        reference: What with.
        found: Arm and name of every suspect of the study.
    """
    own = [name for of, name in found if of == arm]
    return (*own, *(f"{name}, of the reference" for of, name in found if of == reference))
