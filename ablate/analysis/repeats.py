"""Tuned tables: the unit is the repeat of a search, not the seed.

An arm's settings were found by a search that has luck of its own. All seeds of one repeat share
that luck, so their spread does not tell of it, and a test that counts seeds names null tricks in
most studies (57 to 99 %, measured by `benchmarks.coverage`). Student's t over repeats, each with
new draws, new tuning seeds and new scoring seeds, keeps its level. Of a single search no interval
for a trick can be known; what is known is how much searches must differ to explain it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ablate.analysis.decisions import Decisions
from ablate.analysis.metric import Metric, Values
from ablate.analysis.tuning import refuse_tuning_seeds
from ablate.errors import Unscored, UserError

ONE_SEARCH = "one search"
KEPT = ("reference", "identical", "suspect")
Z = 1.959963984540054  # of a 95 % interval
SQRT2 = float(np.sqrt(2))
SUMS = ("wall_seconds", "device_seconds")
NAN = float("nan")
UNKNOWN = (
    *("low", "high", "effect_error", "df", "t", "p", "p_holm", "p_bh", "p_flip", "p_equivalence"),
    *("smallest_detectable", "seeds_needed", "seeds_needed_high", "p_failures", "p_failures_holm"),
    *("own_sd", "own_p", "own_low", "own_high", "p_varies", "mid_failures"),
)


def by_repeat(final: pd.DataFrame, metric: Metric, decisions: Decisions) -> pd.DataFrame:
    """Return one row per arm and repeat, under the first of its seeds; `final` without repeats.

    Its value is the mean over the seeds of the repeat, on the scale of the analysis. As in a
    search, a setting that fails under one seed has failed. A repeat counts when all of an arm's
    trials in it have ended.

    Args:
        final: As `final_values` gives it.
        metric: Its scale.
        decisions: Of a study that was searched more than once an arm.

    Raises:
        UserError: An arm was tuned on a seed it is scored on, or repeats share a seed.
        Unscored: No repeat of any arm has ended.
    """
    refuse_tuning_seeds(final, decisions)
    if len(decisions.repeats) < 2:
        return final
    refuse_shared_seeds(decisions.repeats)
    whole = []
    for share in decisions.repeats:
        for _, trials in final[final["seed"].isin(share)].groupby("arm"):
            if len(trials) == len(share):
                whole.append(_of_repeat(trials, share[0], metric))
    if not whole:
        raise Unscored(
            "No repeat of the search has been scored whole yet; wait until all seeds of one have "
            "ended (ablate status tells)."
        )
    return pd.DataFrame(whole).astype(final.dtypes).reset_index(drop=True)[list(final)]


def _of_repeat(trials: pd.DataFrame, repeat: int, metric: Metric) -> dict[str, object]:
    failed = trials[trials["failed"]]
    row = {str(name): one for name, one in (failed if len(failed) else trials).iloc[0].items()}
    row |= {"seed": repeat, "value": NAN, "resample_sd": NAN}
    row |= {name: trials[name].sum() for name in SUMS}
    if failed.empty:
        values, noise = trials["value"].to_numpy(), trials["resample_sd"].to_numpy()
        spread = float(np.sqrt(np.sum(noise**2))) / len(noise)
        row |= {"value": metric.mean(values), "resample_sd": spread}
    return row


def refuse_shared_seeds(repeats: Sequence[Sequence[int]]) -> None:
    """Refuse repeats that are scored on the same seeds.

    What an arm gets from a seed would then be in all of them: of null tricks some is named in 16 %
    of studies with 3 repeats and in 47 % with 5.

    Raises:
        UserError: Two repeats share a seed.
    """
    seeds = [seed for share in repeats for seed in share]
    shared = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if shared:
        raise UserError(
            f"Repeats of the search share the scoring seeds {shared}, so that they look more alike "
            "than they are; score every repeat on seeds of its own."
        )


def untold(decisions: Decisions) -> Decisions:
    """Return the decisions by which the rows of `by_repeat` are compared: they are no seeds."""
    return replace(decisions, tuning_seeds=()) if len(decisions.repeats) > 1 else decisions


def tipping_spread(mean: Values, half: Values, size: Values | float = SQRT2) -> Values:
    """Return the SD between searches of one arm at which `mean` is no result any more.

    With that SD the interval of the trick, mean +- sqrt(half^2 + (z size tau)^2), ends at 0; 0 if
    it holds 0 already; NaN where a part is not known.

    Args:
        mean: Of one search, on the scale of the analysis; any shape, as what follows.
        half: Half width of its 95 % interval over seeds.
        size: Root of the sum of squared weights that arms have in it: sqrt 2 of a difference.
    """
    return np.asarray(np.sqrt(np.maximum(mean**2 - half**2, 0.0)) / (Z * size))


def of_one_search(
    table: pd.DataFrame, metric: Metric, decisions: Decisions, size: Values | float = SQRT2
) -> pd.DataFrame:
    """Return a table of a single search with what it can say of a trick; any other as it is.

    Interval, tests and verdict are taken away; the reason says how much searches of one arm must
    differ for the number to be no result.

    Args:
        table: Of arms, effects, shares or steps.
        metric: Its scale.
        decisions: What the plan decided.
        size: As in `tipping_spread`, of all rows or row by row.
    """
    if not decisions.one_search or table.empty:
        return table
    half = (metric.forward(table["high"].to_numpy()) - metric.forward(table["low"].to_numpy())) / 2
    kept = table["verdict"].isin(KEPT)
    spreads = tipping_spread(table["effect_mean"].to_numpy(), half, size)
    told = [tipping_sentence(float(spread), metric) for spread in spreads]
    found = table.assign(**{name: NAN for name in UNKNOWN if name in table})
    found["verdict"] = table["verdict"].where(kept, ONE_SEARCH)
    found["reason"] = table["reason"].where(kept, pd.Series(told, index=table.index))
    return found.assign(second_opinion="") if "second_opinion" in found else found


def tipping_sentence(spread: float, metric: Metric) -> str:
    """Return what a tipping spread means; "" where none is known."""
    if np.isnan(spread):
        return ""
    sd = f"{100 * spread:.2g} %" if metric.is_ratio else f"{spread:.2g}"
    return f"not a result for the trick if searches of one arm differ by more than SD {sd}"
