"""Curves as rows: what the figure and the page draw, on the scale of the analysis."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ablate.analysis.bands import bands, intervals, metric_curves
from ablate.report.study import Study

BOUNDS = ["mean", "low", "high"]


def metric_bands(study: Study) -> pd.DataFrame:
    """Return bands of the metric; their mean is geometric on the ratio scale, as in the table."""
    return _back(study, bands(_metric_values(study)))


def metric_intervals(study: Study) -> pd.DataFrame:
    """Return the 95 % intervals of the metric's mean, likewise."""
    return _back(study, intervals(bands(_metric_values(study))))


def _metric_values(study: Study) -> pd.DataFrame:
    """Return the evaluations of all trials that are done, as logarithms on the ratio scale.

    An imported trial that does not tell its images has no place on a curve.
    """
    generators = dict(zip(study.final["arm"], study.final["generator"], strict=True))
    same = study.frame["protocol"].isin(study.final["protocol"].dropna())  # others do not compare
    curves = metric_curves(study.frame[same], study.metric, generators)
    done = set(study.final.loc[~study.final["failed"], "trial"])
    curves = curves[curves["trial"].isin(done) & (curves["images"] > 0)]
    if study.metric.is_ratio:
        curves = curves[curves["value"] > 0]
    return curves.assign(value=study.metric.forward(curves["value"].to_numpy()))


def _back(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    if not study.metric.is_ratio:
        return table
    return table.assign(**{name: np.exp(table[name]) for name in BOUNDS})
