"""Values that cannot be what they say: no logarithm, a turned sign, a number that means failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ablate.importer.asked import Declared
from ablate.importer.columns import nearest
from ablate.importer.declared import scale_of
from ablate.metric import known


def without_failed(
    frame: pd.DataFrame, failed: Mapping[str, str], problems: list[str]
) -> pd.DataFrame:
    """Return `frame` with NaN where a value is the one that stands for a failed trial."""
    value = frame["value"]
    metrics = [str(metric) for metric in frame["metric"].dropna().unique()]
    for metric, text in failed.items():
        meant = (frame["metric"] == metric) & np.isclose(value, _number(text), rtol=1e-12, atol=0)
        if metric not in metrics:
            problems.append(
                f"--failed {metric}={text}: the table has no metric {metric!r}; "
                f"{nearest(metric, metrics)}."
            )
        elif not meant.any():
            problems.append(
                f"--failed {metric}={text}: no {metric} is {text!r}; type the value that stands "
                "for a failed trial, or leave it out."
            )
        value = value.mask(meant)
    return frame.assign(value=value)


def refuse_values(
    frame: pd.DataFrame,
    done: np.ndarray,
    found: Mapping[str, Mapping[str, Any]],
    analysis: Declared,
    problems: list[str],
) -> None:
    """Tell of values that the scale of their metric cannot take.

    Args:
        frame: With arm, seed, metric and value.
        done: Which rows are of a trial that is done.
        found: As `declared` gives it.
        analysis: As typed.
        problems: Gets one sentence a metric.
    """
    rows = frame[done & np.isfinite(frame["value"])]
    for name, own in rows.groupby("metric"):
        metric = str(name)
        told = _turned(metric, own["value"], analysis)
        if told is None and scale_of(metric, found) == "ratio" and (own["value"] <= 0).any():
            told = _no_ratio(metric, own[own["value"] <= 0])
        problems += [] if told is None else [told]


def _turned(metric: str, values: pd.Series, analysis: Declared) -> str | None:
    """Return what is wrong with the direction of a metric that is known to be above 0."""
    entry, better = known(metric), analysis.better.get(metric)
    all_below = bool((values < 0).all())
    if entry is None or (better in (None, entry.better) and entry.scale != "ratio"):
        return None
    other = "higher" if entry.better == "lower" else "lower"
    if better is None and all_below:
        return (
            f"{metric} is below 0 in all {len(values)} rows, which it never is: its sign was "
            f"turned; take the sign away in the file, or type --scale {metric}=difference --better "
            f"{metric}={other}."
        )
    if better == other and not all_below:
        return (
            f"--better {metric}={other}: of {metric} {entry.better} values are better; leave it "
            "out, or give the metric another name in the file."
        )
    return None


def _no_ratio(metric: str, wrong: pd.DataFrame) -> str:
    one = wrong.iloc[0]
    more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return (
        f"{metric} is {one['value']:g} (arm {one['arm']!r}, seed {one['seed']}{more}) and a ratio "
        f"needs values > 0; type --scale {metric}=difference to compare differences, or --failed "
        f"{metric}={one['value']:g} if it stands for a failed trial."
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
