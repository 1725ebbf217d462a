"""What each arm gave and what it cost, without any comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.failures import wilson
from ablate.analysis.metric import Metric


def describe(final: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Return one row per arm of `final_values`, columns `columns.DESCRIPTION`."""
    return pd.DataFrame([_describe(str(arm), one, metric) for arm, one in final.groupby("arm")])


def _describe(arm: str, one: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    done = one[~one["failed"]]
    failed = len(one) - len(done)
    low, high = wilson(failed, len(one))
    return {
        "arm": arm,
        "metric": metric.name,
        "scale": metric.scale,
        "higher_is_better": int(metric.higher_is_better),
        "generator": one["generator"].iloc[0],
        "protocol": next(iter(one["protocol"].dropna()), ""),
        "trials": len(one),
        "done": len(done),
        "failed": failed,
        "failed_low": low,
        "failed_high": high,
        "mean": metric.mean(done["value"].to_numpy()),
        "seed_sd": done["value"].std(ddof=1),
        # independent over trials, so variances are averaged
        "resample_sd": float(np.sqrt((done["resample_sd"] ** 2).mean())),
        "images": done["images_shown"].mean(),
        "wall_seconds": done["wall_seconds"].mean(),
        "device_seconds": done["device_seconds"].mean(),
        "peak_memory_bytes": done["peak_memory_bytes"].max(),
        "wall_seconds_spent": one["wall_seconds"].sum(min_count=1),
    }
