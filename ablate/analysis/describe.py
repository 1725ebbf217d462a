"""What each arm gave and what it cost, without any comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.failures import wilson
from ablate.analysis.metric import Metric, Values

NUMBERS = ("value", "resample_sd", "images_shown", "wall_seconds", "device_seconds")
NAN = float("nan")


def describe(final: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Return one row per arm of `final_values`, columns `columns.DESCRIPTION`."""
    columns = {name: final[name].to_numpy() for name in ("failed", "generator", "protocol")}
    for name in (*NUMBERS, "peak_memory_bytes", "compared_images", "last_images"):
        columns[name] = final[name].to_numpy("float64")
    rows = [
        _describe(str(arm), {name: column[rows] for name, column in columns.items()}, metric)
        for arm, rows in sorted(final.groupby("arm").indices.items())
    ]
    return pd.DataFrame(rows)


def _describe(arm: str, one: dict[str, Any], metric: Metric) -> dict[str, Any]:
    trials, done = len(one["failed"]), ~one["failed"]
    failed = trials - int(done.sum())
    low, high = wilson(failed, trials)
    value, resample_sd, images, wall, device = (_known(one[name][done]) for name in NUMBERS)
    memory, spent = _known(one["peak_memory_bytes"][done]), _known(one["device_seconds"])
    return {
        "arm": arm,
        "metric": metric.name,
        "scale": metric.scale,
        "higher_is_better": int(metric.higher_is_better),
        "generator": one["generator"][0],
        "protocol": next((told for told in one["protocol"] if not pd.isna(told)), ""),
        "trials": trials,
        "done": trials - failed,
        "failed": failed,
        "failed_low": low,
        "failed_high": high,
        "mean": metric.mean(value),
        "seed_sd": metric.spread(value),
        # independent over trials, so variances are averaged
        "resample_sd": float(np.sqrt(_over(np.mean, resample_sd**2))),
        "images": _over(np.mean, images),
        "compared_images": int(_of_done(one, "compared_images").max()),
        "last_images_low": int(_of_done(one, "last_images").min()),
        "last_images": int(_of_done(one, "last_images").max()),
        "wall_seconds": _over(np.mean, wall),
        "device_seconds": _over(np.mean, device),
        "peak_memory_bytes": _over(np.max, memory),
        "device_seconds_spent": _over(np.sum, spent),
    }


def _of_done(one: dict[str, Any], name: str) -> Values:
    """Return a column of done trials; of all, where none is."""
    done: Values = one[name][~one["failed"]]
    return done if len(done) else one[name]


def _known(values: Values) -> Values:
    return values[~np.isnan(values)]


def _over(function: Callable[[Values], Any], known: Values) -> float:
    return float(function(known)) if len(known) else NAN
