"""Effects of a design that ran once: which stand out from the others. No test and no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ablate.analysis.columns import HALF_NORMAL
from ablate.analysis.effects import cells, done_arms
from ablate.analysis.inert import without_inert
from ablate.analysis.layout import layout_of
from ablate.analysis.metric import Metric, Values
from ablate.analysis.terms import all_terms
from ablate.errors import UserError
from ablate.store.schema import conform


def half_normal(final: pd.DataFrame, study: Mapping[str, Any], metric: Metric) -> pd.DataFrame:
    """Return all J - 1 effects of J arms, smallest first, columns `columns.HALF_NORMAL`.

    Over several seeds the effects are those of the means. Sources: Daniel, 1959, "Use of
    half-normal plots in interpreting factorial two-level experiments"; Lenth, 1989, "Quick and
    easy analysis of unreplicated factorials".

    Raises:
        UserError: The design is not balanced, or a factor has more than two levels.
    """
    whole = layout_of(study)
    final, layout = done_arms(final, whole)
    values = cells(final, layout).transform(metric.forward)
    if len(layout.levels) < len(whole.levels) or values.isna().any(axis=None):
        raise UserError(
            "A half-normal plot needs a done trial in every arm and some failed or are not run; "
            "run at least 3 seeds, which need no such plot."
        )
    layout = without_inert(values, layout)
    values, terms = values[layout.levels.index], all_terms(layout)
    means = values.mean().to_numpy()
    effects = np.array([float(term.contrast @ means) for term in terms])
    order = np.argsort(np.abs(effects), kind="stable")
    margin = lenth_margin(effects)
    size = np.abs(effects)[order]
    table = pd.DataFrame(
        {
            "term": [terms[i].names[0] for i in order],
            "order": [terms[i].order for i in order],
            "effect": [metric.back(effects[i]) for i in order],
            "effect_mean": effects[order],
            "size": size,
            "quantile": stats.halfnorm.ppf((np.arange(len(order)) + 0.5) / len(order)),
            "margin": margin,
            "stands_out": size > margin,
        }
    )
    return conform(table, HALF_NORMAL)


def lenth_margin(effects: Values) -> float:
    """Return Lenth's margin of error of `[M]` effects, 95 % for each alone."""
    size = np.abs(effects)
    first = 1.5 * float(np.median(size))
    inert = size[size < 2.5 * first]
    pseudo_error = 1.5 * float(np.median(inert)) if len(inert) else 0.0
    return float(stats.t.ppf(0.975, len(effects) / 3)) * pseudo_error
