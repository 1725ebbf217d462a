"""Curves of many seeds as a mean with a band."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ablate.analysis.metric import Metric


def bands(curves: pd.DataFrame, points: int = 120) -> pd.DataFrame:
    """Return mean, lowest and highest value over seeds along the images shown.

    Args:
        curves: Columns arm, trial, signal, images, value; only trials that are done.
        points: At most so many a curve; longer ones are averaged inside equal spans of images.

    Returns:
        Columns arm, signal, images, mean, low, high, seeds. A value that is not finite is left out.
    """
    finite = curves[np.isfinite(curves["value"])]
    thinned = thin(finite, points)
    groups = thinned.groupby(["arm", "signal", "images"])["value"]
    table = groups.agg(mean="mean", low="min", high="max", seeds="size")
    return table.reset_index()


def thin(curves: pd.DataFrame, points: int) -> pd.DataFrame:
    """Return `curves` averaged inside `points` equal spans of images, where there are more."""
    if curves.empty or curves["images"].nunique() <= points:
        return curves
    width = int(np.ceil(curves["images"].max() / points))
    binned = curves.assign(images=-(-curves["images"] // width) * width)
    keys = ["arm", "trial", "signal", "images"]
    return binned.groupby(keys)["value"].mean().reset_index()


def metric_curves(frame: pd.DataFrame, metric: Metric, generators: dict[str, str]) -> pd.DataFrame:
    """Return the evaluations of `metric` in the shape of curves.

    Args:
        frame: Results as `store.read` gives them, arms named.
        metric: Whose rows are taken.
        generators: Arm -> the generator whose rows are taken.
    """
    rows = frame[frame["metric"] == metric.name]
    rows = rows[rows["generator"] == rows["arm"].map(generators)]
    return rows.assign(signal=metric.name)[["arm", "trial", "signal", "images", "value"]]
