"""The verdict for an effect or a share: as for arms, in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.decisions import ALPHA, Decisions
from ablate.analysis.guard import FEWEST_LEFT
from ablate.analysis.looks import is_before_first
from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS, ROUNDING
from ablate.analysis.suspects import named, suspects


def conclude(
    table: pd.DataFrame, final: pd.DataFrame, metric: Metric, decisions: Decisions
) -> pd.DataFrame:
    """Return `table` with columns verdict and reason.

    Every effect rests on every arm, so one trial that may be an unmarked collapse suspends all.

    Args:
        table: Columns `columns.ESTIMATE` but for these two; order, worst_effect, failed_with,
            failed_without and p_failures where there are such.
        final: The trials behind it.
        metric: Its scale and its better direction.
        decisions: What the plan decided.
    """
    doubted = "; ".join(named(suspects(final, metric)))
    verdicts = [_conclude(row, doubted, metric, decisions) for row in table.to_dict("records")]
    return table.assign(
        verdict=[word for word, _ in verdicts], reason=[reason for _, reason in verdicts]
    )


def _conclude(
    row: Mapping[Any, Any], doubted: str, metric: Metric, decisions: Decisions
) -> tuple[str, str]:
    if is_before_first(row["seeds"], decisions):
        return "too few seeds", f"the first planned look is at {decisions.looks[0]} seeds"
    if row["seeds"] < FEWEST_PAIRS:
        return "too few seeds", f"seeds: {row['seeds']} of the {FEWEST_PAIRS} needed"
    untested = _without_error(row) if np.isnan(row["p_holm"]) else ("", "")
    if doubted and untested[0] != "identical":
        return "suspect", f"possible unmarked collapse: {doubted}"
    if untested[0]:
        return untested
    if row["p_holm"] > decisions.alpha:
        return "inconclusive", ""
    return _significant(row, metric)


def _without_error(row: Mapping[Any, Any]) -> tuple[str, str]:
    if np.isnan(row["effect_mean"]) or row["df"] == 0:
        return "too few seeds", "the trials that are done leave nothing to measure an error by"
    if row.get("variance") == "few arms":
        return "too few arms", f"fewer than {FEWEST_LEFT} beyond the effects tell no interaction"
    if abs(row["effect_mean"]) <= ROUNDING:
        return "identical", ""
    return "suspect", "seeds do not vary"


def _significant(row: Mapping[Any, Any], metric: Metric) -> tuple[str, str]:
    better = metric.is_better(row["effect_mean"])
    word = "better" if better else "worse"
    if row.get("order", 1) > 1:
        word += " together"
    worst = row.get("worst_effect", row["effect"])
    if metric.is_better(float(metric.forward(np.array([worst]))[0])) != better:
        return "trade-off", f"{word}, but not when a failure counts as the worst value"
    if row.get("p_failures", 1.0) <= ALPHA and (
        (row["failed_with"] > row["failed_without"]) == better
    ):
        told = f"{row['failed_with']:g} failed trials with it and {row['failed_without']:g} without"
        return "trade-off", f"{word}, with {told}"
    return word, ""
