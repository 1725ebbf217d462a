"""Do two tricks together give what each gives alone? From arms with none, one and both of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.adjust import holm
from ablate.analysis.columns import EFFECTS
from ablate.analysis.decisions import Decisions
from ablate.analysis.effects import cells, named, worst_means
from ablate.analysis.failure_rows import NONE
from ablate.analysis.findings import conclude
from ablate.analysis.layout import Layout, layout_of
from ablate.analysis.metric import Metric
from ablate.analysis.paired import Paired, one_sample_t
from ablate.analysis.terms import Term
from ablate.analysis.tuning import refuse_tuning_seeds
from ablate.store.schema import conform


def interactions(
    final: pd.DataFrame, study: Mapping[str, Any], metric: Metric, decisions: Decisions
) -> pd.DataFrame:
    """Return one row per arm that has exactly two tricks, columns `columns.EFFECTS`.

    The same half of a change as in a factorial design, over the seeds in which all four arms are
    done; Student's t from its own spread, Holm over the pairs.

    Args:
        final: As `final_values` gives it.
        study: What `study.json` holds; its factors, and the levels of its arms.
        metric: Its scale and its better direction.
        decisions: What the plan decided.

    Raises:
        UserError: The study has no factors, or was tuned on a seed that it is scored on.
    """
    refuse_tuning_seeds(final, decisions)
    layout = layout_of(study)
    final = final[final["arm"].isin(layout.levels.index)]
    values = cells(final, layout).transform(metric.forward)
    worst = worst_means(final, layout, metric)
    rows = [
        named(term, layout, metric)
        | _estimate(term, values, metric)
        | NONE
        | {"worst_effect": metric.back(float(term.contrast @ worst))}
        for term in pairs_of(layout)
    ]
    found = pd.DataFrame(rows, columns=[column.name for column in EFFECTS])
    found["p_holm"] = holm(found["p"].astype("float64"))
    return conform(conclude(found, final, metric, decisions), EFFECTS)


def pairs_of(layout: Layout) -> list[Term]:
    """Return a contrast for every arm with two tricks whose three neighbours are planned."""
    active = ~layout.at_first()
    arms = {frozenset(_settings(layout, str(arm)).items()): str(arm) for arm in active.index}
    found = []
    for arm in active.index[active.sum(axis=1) == 2]:
        settings = list(_settings(layout, str(arm)).items())
        around = [frozenset(settings), frozenset(), *(frozenset([one]) for one in settings)]
        if all(one in arms for one in around):
            weights = dict(zip([arms[one] for one in around], (0.5, 0.5, -0.5, -0.5), strict=True))
            contrast = np.array([weights.get(str(arm), 0.0) for arm in active.index])
            name = ":".join(_label(layout, *one) for one in settings)
            factors = tuple(factor for factor, _ in settings)
            found.append(Term((name,), factors, "", contrast))
    return found


def _settings(layout: Layout, arm: str) -> dict[str, str]:
    """Return the factors of an arm that are not at their first level."""
    row = {name: str(layout.levels.loc[arm, name]) for name in layout.factors}
    return {name: row[name] for name, levels in layout.factors.items() if row[name] != levels[0]}


def _label(layout: Layout, factor: str, level: str) -> str:
    return factor if len(layout.factors[factor]) == 2 else f"{factor}={level}"


def _estimate(term: Term, values: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    four = values.loc[:, term.contrast != 0]
    complete = four.dropna().to_numpy()
    own = complete @ term.contrast[term.contrast != 0]
    size = float(np.abs(complete).max(initial=0.0))
    one = one_sample_t(own, size) if len(own) else Paired(0)
    return {
        "seeds": one.pairs,
        "effect": metric.back(one.mean),
        "low": metric.back(one.low),
        "high": metric.back(one.high),
        "effect_mean": one.mean,
        "effect_error": one.error,
        "df": one.df,
        "t": one.t,
        "p": one.p,
        "variance": "own",
        "cells": int(four.notna().sum().sum()),
        "missing": int(four.isna().sum().sum()),
        "own_sd": one.sd,
        "varies": 0,
        "may_vary": 0,
    }
