"""Arms against other arms, seed by seed: effect, adjusted p, second opinion, verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.adjust import benjamini_hochberg, holm
from ablate.analysis.arm_failures import arm_failures, failing_word, seed_counts
from ablate.analysis.columns import COMPARISON
from ablate.analysis.cost import relative_cost
from ablate.analysis.decisions import Decisions
from ablate.analysis.describe import describe
from ablate.analysis.failure_rows import adjusted, level_of
from ablate.analysis.guarded import guarded
from ablate.analysis.looks import is_before_first
from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import FEWEST_PAIRS, Paired, paired_t
from ablate.analysis.power import sd_upper_limit, seeds_needed, smallest_detectable
from ablate.analysis.seeds import apart, seeds_of, sharing_none
from ablate.analysis.signflip import FEWEST_SEEDS, MOST_SEEDS, signflip
from ablate.analysis.student import equivalence_p
from ablate.analysis.suspects import named, seen_from, suspects
from ablate.analysis.tuning import refuse_tuning_seeds
from ablate.analysis.unpaired import more_failures, welch_t, worst_unpaired
from ablate.analysis.verdict import Evidence, verdict
from ablate.analysis.worst import worst_difference
from ablate.errors import UserError
from ablate.store.schema import conform, names

DETECT = 0.1
NAN = float("nan")
# Of pairs; what an unpaired comparison could have seen is not computed.
UNSEEN = dict.fromkeys(("smallest_detectable", "seeds_needed", "seeds_needed_high"), NAN)


def against(
    final: pd.DataFrame,
    references: Mapping[str, str],
    metric: Metric,
    decisions: Decisions,
    detect: float | None = None,
) -> pd.DataFrame:
    """Return one row per arm of `references`, in its order, columns `columns.COMPARISON`.

    Args:
        final: As `final_values` gives it.
        references: Arm -> the arm it is compared with; itself for one that is only described.
        metric: Its scale and its better direction.
        decisions: What the plan decided.
        detect: As in `compare`.

    Raises:
        UserError: An arm was tuned on a seed it is scored on, or a margin is no ratio.
    """
    refuse_tuning_seeds(final, decisions)
    seeds = final.pivot(index="seed", columns="arm", values="value")
    ran = final.pivot(index="seed", columns="arm", values="trial").notna()
    values = pd.DataFrame(metric.forward(seeds.to_numpy()), seeds.index, seeds.columns)
    raw, scaled, started, done = map(_columns, (seeds, values, ran, values.notna()))
    pairs = {arm: _both(scaled, done, arm, other) for arm, other in references.items()}
    if decisions.unpaired:
        paired = {
            arm: welch_t(scaled[arm][done[arm] & (arm != other)], scaled[other][done[other]])
            for arm, other in references.items()
        }
    else:
        paired = {arm: paired_t(both[:, 0], both[:, 1]) for arm, both in pairs.items()}
    if decisions.variance == "guarded":
        paired = guarded(paired, references, values)
    margin = limit_of(decisions, metric)
    level = decisions.alpha / max(1, sum(not np.isnan(one.p) for one in paired.values()))
    table = describe(final, metric).set_index("arm").loc[list(references)].reset_index()
    rows = [
        {"arm": arm, "reference": other}
        | _effect(paired[arm], metric)
        | (UNSEEN if decisions.unpaired else _outlook(paired[arm], metric, detect, level))
        | (
            _failures_unpaired(raw[arm][started[arm]], raw[other][started[other]], metric)
            if decisions.unpaired
            else _failures(_both(raw, started, arm, other), metric)
        )
        | {"seed_correlation": NAN if decisions.unpaired else _correlation(pairs[arm])}
        | {"p_equivalence": _equivalence(paired[arm], margin)}
        for arm, other in references.items()
    ]
    table = table.merge(pd.DataFrame(rows), on="arm")
    table = table.merge(relative_cost(final, references), on="arm")
    table = table.merge(arm_failures(final, references, decisions.unpaired), on="arm")
    table = table.assign(
        p_holm=holm(table["p"]),
        p_bh=benjamini_hochberg(table["p"]),
        p_failures_holm=adjusted(table, decisions),
        p_flip=NAN if decisions.unpaired else _flipped(scaled, references, paired),
    )
    table = _with_verdicts(table, final, metric, decisions)
    return conform(table[names(COMPARISON)], COMPARISON)


def limit_of(decisions: Decisions, metric: Metric) -> float:
    """Return the margin on the scale of the analysis; NaN without one.

    Raises:
        UserError: A margin in percent was declared for a metric that is compared by differences.
    """
    if decisions.margin is None:
        return float("nan")
    if not metric.is_ratio:
        told = (
            f"margin={decisions.margin:g} is a percentage and {metric.name} is compared by "
            "differences; "
        )
        raise UserError(
            f"{told}leave the margin out, or give a metric that is compared by ratios.",
            f"{told}type --metric with one that is compared by ratios, or plan the study (import "
            "the table) again without a margin.",
        )
    return float(np.log1p(decisions.margin / 100))


def metric_change(effect: float, metric: Metric) -> float:
    """Return a ratio or a difference on the scale of the analysis, where 0 is no change."""
    return float(metric.forward(np.array([effect]))[0])


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(table.columns, table.to_numpy().T, strict=True))


def _both(values: Mapping[str, Values], counts: Mapping[str, Any], arm: str, other: str) -> Values:
    """Return `[N, 2]` of the seeds that count in both; of an arm beside itself, none."""
    rows = counts[arm] & counts[other] & (arm != other)
    return np.column_stack([values[arm], values[other]])[rows]


def _effect(paired: Paired, metric: Metric) -> dict[str, Any]:
    return {
        "pairs": paired.pairs,
        "effect": metric.back(paired.mean),
        "low": metric.back(paired.low),
        "high": metric.back(paired.high),
        "effect_mean": paired.mean,
        "effect_sd": paired.sd,
        "variance": paired.variance,
        "df": paired.df,
        "t": paired.t,
        "p": paired.p,
    }


def _outlook(
    paired: Paired, metric: Metric, detect: float | None, alpha: float
) -> dict[str, float]:
    """Return what these pairs could have seen, at `alpha`, and how many would see `detect`."""
    if metric.is_ratio:
        change = -float(np.log1p(-(DETECT if detect is None else detect)))
    else:
        change = NAN if detect is None else detect
    is_pooled = paired.variance == "guarded"
    sd = paired.error * float(np.sqrt(paired.pairs)) if is_pooled else paired.sd
    upper = sd_upper_limit(sd, paired.pairs) if paired.pairs > 1 else NAN
    able = paired.pairs >= FEWEST_PAIRS
    return {
        "smallest_detectable": smallest_detectable(sd, paired.pairs, metric, alpha),
        "seeds_needed": seeds_needed(sd, change, alpha) if able else NAN,
        "seeds_needed_high": seeds_needed(upper, change, alpha) if able else NAN,
    }


def _failures(both: Values, metric: Metric) -> dict[str, Any]:
    """Return what failures say, from `[N, 2]` values of the seeds that both arms ran."""
    failed = np.isnan(both).sum(0)
    return {
        "more_failures": int(failed[0] - failed[1]),
        "worst_effect": metric.back(worst_difference(both, metric)),
    }


def _failures_unpaired(values: Values, reference: Values, metric: Metric) -> dict[str, Any]:
    """Return the same from all seeds that either arm ran."""
    return {
        "more_failures": more_failures(values, reference),
        "worst_effect": metric.back(worst_unpaired(values, reference, metric)),
    }


def _correlation(pairs: Values) -> float:
    """Return the correlation over `[N, 2]` pairs; NaN under 3 or without spread."""
    if len(pairs) < 3 or (np.ptp(pairs, axis=0) == 0).any():
        return float("nan")
    return float(np.corrcoef(pairs[:, 0], pairs[:, 1])[0, 1])


def _equivalence(paired: Paired, limit: float) -> float:
    if np.isnan(limit) or np.isnan(paired.error):
        return float("nan")
    return equivalence_p(paired.mean, paired.error, paired.df, limit)


def _flipped(
    values: Mapping[str, Values], references: Mapping[str, str], paired: Mapping[str, Paired]
) -> list[float]:
    """Return the sign-flip p of every arm that has the pairs for one, NaN of the others."""
    able = [arm for arm, one in paired.items() if one.pairs >= FEWEST_SEEDS and one.sd > 0]
    p = dict.fromkeys(references, float("nan"))
    if able:
        columns = [values[arm] - values[references[arm]] for arm in able]
        differences = np.stack(columns, axis=1)
        differences = differences[np.isfinite(differences).any(1)]
        if len(differences) <= MOST_SEEDS:
            p |= dict(zip(able, signflip(differences), strict=True))
    return list(p.values())


def _with_verdicts(
    table: pd.DataFrame, final: pd.DataFrame, metric: Metric, decisions: Decisions
) -> pd.DataFrame:
    doubted = suspects(final, metric)
    found = list(zip(doubted["arm"], named(doubted), strict=True))
    own_seeds = seeds_of(final)
    early = is_before_first(final["seed"].nunique(), decisions)
    rows = table.to_dict("records")
    verdicts = []
    for row in rows:
        if row["arm"] == row["reference"]:
            verdicts.append(("reference", ""))
        elif early:
            told = f"the first planned look is at {decisions.looks[0]} seeds"
            verdicts.append(("too few seeds", told))
        elif not decisions.unpaired and row["arm"] in sharing_none(own_seeds, row["reference"]):
            verdicts.append(
                (f"too few {decisions.unit}s", apart(row["arm"], own_seeds, row["reference"]))
            )
        else:
            verdicts.append(verdict(_evidence(row, found, metric, decisions), metric))
    opinions = [_opinion(row, decisions) for row in rows]
    reasons = [reason for _, reason in verdicts]
    return table.assign(
        verdict=[word for word, _ in verdicts], reason=reasons, second_opinion=opinions
    )


def _evidence(
    row: Mapping[Any, Any], found: Sequence[tuple[str, str]], metric: Metric, decisions: Decisions
) -> Evidence:
    return Evidence(
        paired=Paired(row["pairs"], row["effect_mean"], row["effect_sd"], variance=row["variance"]),
        p_adjusted=row["p_bh" if decisions.screen else "p_holm"],
        suspects=seen_from(row["arm"], row["reference"], found),
        more_failures=row["more_failures"],
        worst=metric_change(row["worst_effect"], metric),
        alpha=decisions.alpha,
        margin=decisions.margin,
        p_equivalence=row["p_equivalence"],
        failing=failing_word(row, level_of(decisions)),
        failures=seed_counts(row, decisions.unit),
        unit=decisions.unit,
    )


def _opinion(row: Mapping[Any, Any], decisions: Decisions) -> str:
    """Return whether the sign-flip test gives the answer that t gives."""
    if np.isnan(row["p_flip"]):
        if row["variance"] == "welch":
            return ""
        under = FEWEST_PAIRS <= row["pairs"] < FEWEST_SEEDS
        return f"not computed under {FEWEST_SEEDS} {decisions.unit}s" if under else ""
    by_t, by_flips = (row[name] <= decisions.alpha for name in ("p_holm", "p_flip"))
    return "same" if by_t == by_flips else "differs"
