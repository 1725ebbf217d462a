"""Curves of many seeds as a mean with a band."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS


def bands(curves: pd.DataFrame, points: int = 120) -> pd.DataFrame:
    """Return mean, lowest and highest value over seeds along the images shown.

    Args:
        curves: Columns arm, trial, signal, images, value; only trials that are done.
        points: At most so many a curve; longer ones are averaged inside equal spans of images.

    Returns:
        Columns arm, signal, images, mean, low, high, sd, seeds. A value that is not finite is left
        out.
    """
    finite = curves[np.isfinite(curves["value"])]
    thinned = aligned(thin(finite, points))
    groups = thinned.groupby(["arm", "signal", "images"])["value"]
    table = groups.agg(mean="mean", low="min", high="max", sd="std", seeds="size")
    return table.reset_index()


def intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return `bands` with the 95 % t interval of each mean as low and high; NaN under 3 seeds."""
    seeds = table["seeds"].to_numpy()
    enough = np.where(seeds >= FEWEST_PAIRS, seeds, np.nan)
    half = stats.t.ppf(0.975, enough - 1) * table["sd"] / np.sqrt(enough)
    return table.assign(low=table["mean"] - half, high=table["mean"] + half)


def aligned(curves: pd.DataFrame) -> pd.DataFrame:
    """Return `curves` so that all trials of an arm have their points at the same images.

    Where they have not, as imported ones may, points are averaged inside spans as wide as the
    widest gap of any of them. No point is invented: a span without one stays empty.
    """
    if curves.empty:
        return curves
    keys = ["arm", "signal"]
    union = curves.groupby(keys)["images"].transform("nunique")
    own = curves.groupby([*keys, "trial"])["images"].transform("size")
    apart = (own < union).groupby([curves[key] for key in keys]).transform("any")
    if not apart.any():
        return curves
    return pd.concat([curves[~apart], *(_binned(one) for _, one in curves[apart].groupby(keys))])


def _binned(curves: pd.DataFrame) -> pd.DataFrame:
    """Return one arm's trials averaged inside spans as wide as the widest gap of any of them."""
    images = curves.sort_values("images").groupby("trial")["images"]
    width = int(max(images.diff().max(), images.min().max()))
    return _averaged(curves, width)


def thin(curves: pd.DataFrame, points: int) -> pd.DataFrame:
    """Return `curves` averaged inside `points` equal spans of images, where there are more."""
    if curves.empty or curves["images"].nunique() <= points:
        return curves
    return _averaged(curves, int(np.ceil(curves["images"].max() / points)))


def _averaged(curves: pd.DataFrame, width: int) -> pd.DataFrame:
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
