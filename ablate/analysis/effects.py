"""Main effects and interactions of a factorial design, whole or a fraction, over seeds.

Least squares on the declared scale with arms and seeds as a two-way table, so saturated: what is
left over is how arms and seeds fall together. The variance is guarded: the larger of the pooled
one and the effect's own from seed to seed, also where cells are missing; where interactions are
left out, of what arms lie off the main effects too. Source of the effects: Box, Hunter and Hunter,
2005, "Statistics for experimenters", chapters 5 and 6; of the guards: measured, see
`benchmarks.coverage`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.adjust import holm
from ablate.analysis.blocks import Blocks, fit_blocks
from ablate.analysis.columns import EFFECTS
from ablate.analysis.decisions import ALPHA, Decisions
from ablate.analysis.failure_rows import NONE, UNTESTED, adjusted, effect_failures
from ablate.analysis.findings import conclude
from ablate.analysis.guard import FEWEST_LEFT, guarded, with_lack_of_fit
from ablate.analysis.inert import touches, without_inert
from ablate.analysis.layout import Layout, layout_of
from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import FEWEST_PAIRS, ROUNDING
from ablate.analysis.student import student
from ablate.analysis.terms import Term, fit_of, refuse_arms, terms_of
from ablate.analysis.tuning import refuse_tuning_seeds
from ablate.analysis.worst import fill_worst
from ablate.store.schema import conform, names

NAN = float("nan")
MAY_VARY = 0.2  # p of F, of one effect alone, from which its own interval stands beside the other
OWN = ("own_sd", "own_p", "own_low", "own_high", "p_varies")


def effects(
    final: pd.DataFrame, study: Mapping[str, Any], metric: Metric, decisions: Decisions
) -> pd.DataFrame:
    """Return one row per main effect and two-way interaction or alias group, `columns.EFFECTS`.

    Under 3 seeds there are effects without interval, p and verdict. So are those of arms that are
    no balanced design, if fewer than 5 of them are left to tell interactions from noise. Of a trick
    that fails in all of its trials there is no effect, and what its failures say.

    Args:
        final: As `final_values` gives it.
        study: What `study.json` holds; its factors, and the levels of its arms.
        metric: Its scale and its better direction.
        decisions: What the plan decided.

    Raises:
        UserError: The arms that ran do not tell the main effects apart, or were tuned on a seed
            they are scored on.
    """
    refuse_tuning_seeds(final, decisions)
    final, whole = ended_arms(final, layout_of(study))
    copied = cells(final, whole, metric.forward(final["value"].to_numpy("float64")))
    ended = without_inert(copied, whole)
    layout = of_done_arms(final, ended)
    values = copied[layout.levels.index]
    table = fit_blocks(values)
    failed = effect_failures(final[final["arm"].isin(ended.levels.index)], ended)
    could = fit_of(ended)
    fit = could if len(layout.levels) == len(ended.levels) else fit_of(layout)
    if not could.terms:
        refuse_arms(ended)
    worst = worst_effects(final, ended, could.terms, metric)
    there = {(term.factors, term.level) for term in fit.terms}
    dead = [t for t in could.terms if t.order == 1 and (t.factors, t.level) not in there]
    rows = [
        named(term, layout, metric)
        | _estimate(term, values, table, metric, fit.matrix if layout.leaves_out else None)
        | failures_at(term, failed)
        | {"worst_effect": worst.get(term.label, NAN)}
        for term in fit.terms
    ]
    rows += [
        named(term, layout, metric)
        | _estimate(term, values, None, metric)
        | failures_at(term, failed)
        | {"worst_effect": worst[term.label]}
        for term in dead
    ]
    inert = set(whole.factors) - set(layout.factors)
    if inert:
        copies = {key: told | UNTESTED for key, told in effect_failures(final, whole).items()}
        whole = of_done_arms(final, whole)
        rows += [
            named(term, whole, metric)
            | _identical(copied[whole.levels.index], metric)
            | failures_at(term, copies)
            | {"worst_effect": metric.back(0.0)}
            for term in terms_of(whole)
            if touches(term, inert)
        ]
    found = pd.DataFrame(rows)
    found["missing"] += len(copied) * (len(ended.levels) - len(layout.levels))
    found["p_failures_holm"] = adjusted(found, decisions)
    found["p_holm"] = holm(found["p"])
    found["may_vary"] = (found["p_varies"] <= MAY_VARY).astype("int64")
    found["p_varies"] = holm(found["p_varies"])
    found["varies"] = (found["p_varies"] <= ALPHA).astype("int64")
    return conform(conclude(found, final, metric, decisions)[names(EFFECTS)], EFFECTS)


def ended_arms(final: pd.DataFrame, layout: Layout) -> tuple[pd.DataFrame, Layout]:
    """Return the rows of planned arms, and the layout of the arms with a trial that ended."""
    final = final[final["arm"].isin(layout.levels.index)]
    return final, layout.only(sorted(final["arm"].unique()))


def of_done_arms(final: pd.DataFrame, layout: Layout) -> Layout:
    """Return the layout of the arms with a done trial: those of which there is a mean."""
    return layout.only(sorted(final.loc[~final["failed"], "arm"].unique()))


def done_arms(final: pd.DataFrame, layout: Layout) -> tuple[pd.DataFrame, Layout]:
    """Return the rows of planned arms with a done trial, and their layout."""
    layout = of_done_arms(final, layout)
    return final[final["arm"].isin(layout.levels.index)], layout


def cells(final: pd.DataFrame, layout: Layout, values: Values | None = None) -> pd.DataFrame:
    """Return index seed, columns arms in the layout's order; NaN: failed or not run.

    Args:
        final: As `final_values` gives it, of the arms of `layout` or some more.
        layout: Which arms.
        values: One per row, in place of those of `final`.
    """
    arms = layout.levels.index
    seeds, row = np.unique(final["seed"].to_numpy(), return_inverse=True)
    column = arms.get_indexer(pd.Index(final["arm"]))
    table, there = np.full((len(seeds), len(arms)), NAN), column >= 0
    values = final["value"].to_numpy("float64") if values is None else values
    table[row[there], column[there]] = values[there]
    return pd.DataFrame(table, pd.Index(seeds, name="seed"), arms)


def named(term: Term, layout: Layout, metric: Metric) -> dict[str, Any]:
    """Return what a row of `columns.EFFECTS` says of the term itself."""
    mine = set(term.names[0].split(":"))
    planned = [g for g in layout.aliases if any(set(name.split(":")) == mine for name in g)]
    return {
        "term": term.label,
        "order": term.order,
        "meaning": term.meaning,
        "aliases": " = ".join(planned[0]) if planned else term.label,
        "metric": metric.name,
        "scale": metric.scale,
        "higher_is_better": int(metric.higher_is_better),
    }


def _estimate(
    term: Term,
    values: pd.DataFrame,
    table: Blocks | None,
    metric: Metric,
    additive: Values | None = None,
) -> dict[str, Any]:
    """Return the numbers of one effect; `additive`: columns of a fit without interactions."""
    done = values.notna().to_numpy()
    seeds, holes = int(done.any(1).sum()), int((~done).sum())
    few = additive is not None and len(additive) - additive.shape[1] < FEWEST_LEFT
    row = {
        "seeds": seeds,
        "cells": int(done.sum()),
        "missing": holes,
        "variance": "few arms" if few else "none",
    } | dict.fromkeys(("low", "high", "effect_error", "df", "t", "p"), NAN)
    row |= dict.fromkeys(OWN, NAN)
    if table is None:
        return row | {"effect_mean": NAN, "effect": NAN}
    mean = float(term.contrast @ table.means)
    row |= {"effect_mean": mean, "effect": metric.back(mean), "df": float(table.df)}
    rounding = ROUNDING * float(np.nanmax(np.abs(values.to_numpy())))
    if few or seeds < FEWEST_PAIRS or not table.df or table.mse <= rounding**2:
        return row
    spread = guarded(term.contrast, table)
    if additive is not None:
        spread = with_lack_of_fit(spread, term.contrast, table.means, additive)
    low, high, t, p = student(mean, spread.error, spread.df)
    found = {"low": low, "high": high, "own_low": spread.own_low, "own_high": spread.own_high}
    found = {name: metric.back(value) for name, value in found.items()}
    return row | asdict(spread) | found | {"effect_error": spread.error, "t": t, "p": p}


def _identical(values: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    """Return the estimate of an effect whose arms are copies: none, and nothing to test it by."""
    done = values.notna().to_numpy()
    unknown = ("low", "high", "effect_error", "df", "t", "p", *OWN)
    return dict.fromkeys(unknown, NAN) | {
        "seeds": int(done.any(1).sum()),
        "cells": int(done.sum()),
        "missing": 0,
        "variance": "none",
        "effect_mean": 0.0,
        "effect": metric.back(0.0),
    }


def worst_means(final: pd.DataFrame, layout: Layout, metric: Metric) -> Values:
    """Return `[J]` means with failures at the worst value of all; NaN where nothing is done."""
    filled = fill_worst(final["value"].to_numpy(), metric)
    if not len(filled):
        return np.full(len(layout.levels), NAN)
    return cells(final, layout, filled).mean().to_numpy()


def worst_effects(
    final: pd.DataFrame, layout: Layout, terms: Sequence[Term], metric: Metric
) -> dict[str, float]:
    """Return term -> effect with each failure at the worst value, of arms that never ended too."""
    worst = worst_means(final, layout, metric)
    return {term.label: metric.back(float(term.contrast @ worst)) for term in terms}


def failures_at(term: Term, failed: Mapping[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """Return what failures say of a main effect; of an interaction nothing is said."""
    return NONE if term.order > 1 else failed[term.factors[0], term.level]
