"""Every arm against the reference: one metric, one rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from ablate.analysis.arms import name_arms, reference_of
from ablate.analysis.columns import COMPARISON
from ablate.analysis.conditions import require_one_condition
from ablate.analysis.describe import describe
from ablate.analysis.final import final_values
from ablate.analysis.metric import Metric, metric_of
from ablate.analysis.paired import Paired, paired_t
from ablate.analysis.power import sd_upper_limit, seeds_needed, smallest_detectable
from ablate.analysis.suspects import suspects
from ablate.analysis.verdict import Evidence, verdict, worst_difference
from ablate.store.schema import conform, names

DETECT = 0.1


def compare(  # noqa: PLR0913 - each is one decision of the plan
    frame: pd.DataFrame,
    metric: str,
    reference: str | None = None,
    *,
    scale: str | None = None,
    higher_is_better: bool | None = None,
    generator: str | None = None,
    protocol: str | None = None,
    detect: float | None = None,
) -> pd.DataFrame:
    """Return one row per arm, columns `columns.COMPARISON`: the reference first, then best first.

    Args:
        frame: Results as `store.read` gives them, of one set of conditions.
        metric: The primary metric: the adjusted p and the verdicts hold for one, named in advance.
        reference: Arm to compare with; the one without tricks by default.
        scale: "ratio" or "difference"; the catalog's by default.
        higher_is_better: The catalog's by default.
        generator: "raw" or "ema" for all arms; by default `ema` where an arm has it, else `raw`.
        protocol: Needed only if the metric was computed under several.
        detect: Effect for `seeds_needed`, declared in advance: on the ratio scale a share (0.1 is a
            change by 10 %, the default), else in units of the metric (no default: NaN).

    Raises:
        UserError: What is asked for is not there or does not compare.
    """
    require_one_condition(frame)
    known = metric_of(metric, scale, higher_is_better)
    frame = name_arms(frame)
    reference = reference_of(frame, reference)
    final = final_values(frame, known, generator, protocol)
    table = describe(final, known).assign(reference=reference)
    effects = pd.DataFrame(
        [_effect(final, str(arm), reference, known, detect) for arm in table["arm"]]
    )
    table = table.merge(effects, on="arm")
    seconds = table.set_index("arm")["wall_seconds"]
    table = table.assign(
        p_holm=_holm(table["p"]), relative_cost=seconds.to_numpy() / seconds[reference]
    )
    table = _with_verdicts(table, final, known)
    return conform(_ordered(table, known)[names(COMPARISON)], COMPARISON)


def seed_values(final: pd.DataFrame, arm: str) -> pd.Series:
    """Return seed -> value of `arm`, NaN if failed."""
    one = final[final["arm"] == arm]
    return pd.Series(one["value"].to_numpy(), index=one["seed"].to_numpy())


def _effect(
    final: pd.DataFrame, arm: str, reference: str, metric: Metric, detect: float | None
) -> dict[str, Any]:
    """Return what is known of `arm` against `reference`, but for the adjusted p and the verdict."""
    mine, theirs = seed_values(final, arm), seed_values(final, reference)
    if arm == reference:
        theirs = theirs[:0]  # nothing to be paired with
    shared = pd.concat([mine, theirs], axis=1, join="inner")
    pairs = metric.forward(shared.dropna().to_numpy())
    paired = paired_t(pairs[:, 0], pairs[:, 1])
    failed = shared.isna().sum()
    return {
        "arm": arm,
        "pairs": paired.pairs,
        "effect": metric.back(paired.mean),
        "low": metric.back(paired.low),
        "high": metric.back(paired.high),
        "effect_mean": paired.mean,
        "effect_sd": paired.sd,
        "seed_correlation": _correlation(pairs),
        "t": paired.t,
        "p": paired.p,
        "more_failures": int(failed.iloc[0] - failed.iloc[1]),
        "worst_effect": metric.back(worst_difference(mine, theirs, metric)),
    } | _outlook(paired, metric, detect)


def _outlook(paired: Paired, metric: Metric, detect: float | None) -> dict[str, float]:
    """Return what these pairs could have seen and how many would see `detect`."""
    nan = float("nan")
    if metric.is_ratio:
        change = -float(np.log1p(-(DETECT if detect is None else detect)))
    else:
        change = nan if detect is None else detect
    upper = sd_upper_limit(paired.sd, paired.pairs) if paired.pairs > 1 else nan
    return {
        "smallest_detectable": smallest_detectable(paired.sd, paired.pairs, metric),
        "seeds_needed": seeds_needed(paired.sd, change) if paired.pairs > 2 else nan,
        "seeds_needed_high": seeds_needed(upper, change) if paired.pairs > 2 else nan,
    }


def _correlation(pairs: np.ndarray) -> float:
    """Return the correlation of the columns of `[N, 2]`; NaN under 3 rows or without spread."""
    if len(pairs) < 3 or (np.ptp(pairs, axis=0) == 0).any():
        return float("nan")
    return float(np.corrcoef(pairs.T)[0, 1])


def _holm(p: pd.Series) -> pd.Series:
    """Return p adjusted for all comparisons that have one."""
    tested = p.dropna()
    if tested.empty:
        return p
    adjusted = multipletests(tested.to_numpy(), method="holm")[1]
    return pd.Series(adjusted, index=tested.index).reindex(p.index)


def _with_verdicts(table: pd.DataFrame, final: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    found = suspects(final, metric)
    reference = table["reference"].iloc[0]
    verdicts = []
    for row in table.to_dict("records"):
        doubted = found[found["arm"].isin([row["arm"], reference])]
        evidence = Evidence(
            paired=Paired(row["pairs"], row["effect_mean"], row["effect_sd"]),
            p_holm=row["p_holm"],
            suspects=tuple(f"{one.arm} seed {one.seed}" for one in doubted.itertuples()),
            more_failures=row["more_failures"],
            worst=metric_change(row["worst_effect"], metric),
        )
        is_reference = row["arm"] == reference
        verdicts.append(("reference", "") if is_reference else verdict(evidence, metric))
    return table.assign(verdict=[v for v, _ in verdicts], reason=[r for _, r in verdicts])


def metric_change(effect: float, metric: Metric) -> float:
    """Return a ratio or a difference on the scale of the analysis, where 0 is no change."""
    return float(metric.forward(np.array([effect]))[0])


def _ordered(table: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    key = -table["mean"] if metric.higher_is_better else table["mean"]
    first = table["arm"] != table["reference"]
    order = pd.DataFrame({"first": first, "key": key, "arm": table["arm"]})
    return table.loc[order.sort_values(["first", "key", "arm"]).index].reset_index(drop=True)
