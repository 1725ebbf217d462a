"""Ranks of arms, and how little the data may say of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from ablate.analysis.adjust import holm
from ablate.analysis.columns import RANKS
from ablate.analysis.decisions import Decisions
from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import FEWEST_PAIRS, ROUNDING
from ablate.store.schema import conform, names

Indices = npt.NDArray[np.intp]


def ranks(final: pd.DataFrame, metric: Metric, decisions: Decisions) -> pd.DataFrame:
    """Return one row per arm with a done trial, best first, columns `columns.RANKS`.

    An arm's rank is at least 1 + the arms that surely are better, at most J - the arms that surely
    are worse; surely is by paired t (unpaired: Welch's) over all pairs of arms, Holm over all of
    them, so that all ranks hold at once. Source: Mogstad, Romano, Shaikh and Wilhelm, 2024,
    "Inference for ranks".

    Args:
        final: As `final_values` gives it.
        metric: Its scale and its better direction.
        decisions: What the plan decided.
    """
    done = final[~final["failed"]]
    values = done.pivot(index="seed", columns="arm", values="value").transform(metric.forward)
    first, second = np.triu_indices(len(values.columns), 1)
    pairwise = pairwise_welch if decisions.unpaired else pairwise_t
    mean, p = pairwise(values.to_numpy(), first, second)
    sure = holm(pd.Series(p)).to_numpy() <= decisions.alpha
    wins = (mean > 0) == metric.higher_is_better  # the first arm of the pair is the better one
    better, worse = (np.zeros(len(values.columns), dtype="int64") for _ in range(2))
    np.add.at(worse, np.where(wins, first, second)[sure], 1)  # arms that surely are worse than it
    np.add.at(better, np.where(wins, second, first)[sure], 1)
    table = pd.DataFrame({"arm": values.columns.astype("str"), "mean": values.mean().to_numpy()})
    table = table.assign(
        rank=table["mean"].rank(method="min", ascending=not metric.higher_is_better),
        rank_low=1 + better,
        rank_high=len(table) - worse,
    )
    return conform(table[names(RANKS)].sort_values(["rank", "arm"], ignore_index=True), RANKS)


def pairwise_t(values: Values, first: Indices, second: Indices) -> tuple[Values, Values]:
    """Return mean difference and p of `paired_t` for many pairs at once, `[P]` each.

    Args:
        values: `[N, A]` on the scale of the analysis, NaN where there is none.
        first: `[P]`, columns of `values`.
        second: `[P]`, the column that is taken away.
    """
    differences = values[:, first] - values[:, second]  # [N, P]
    complete = np.isfinite(differences)
    seeds = complete.sum(0)
    reach = np.fmax(np.abs(values[:, first]), np.abs(values[:, second]))
    rounding = ROUNDING * reach.max(0, where=complete, initial=0.0)
    tested = seeds >= FEWEST_PAIRS
    df = np.where(tested, seeds - 1, np.nan)
    mean = _settled(differences.sum(0, where=complete) / np.fmax(seeds, 1), rounding)
    squares = ((differences - mean) ** 2).sum(0, where=complete)
    sd = _settled(np.sqrt(squares / df), rounding)
    error = np.where(sd > 0, sd, np.nan) / np.sqrt(seeds)
    return mean, np.asarray(2 * stats.t.sf(np.abs(mean / error), df))


def pairwise_welch(values: Values, first: Indices, second: Indices) -> tuple[Values, Values]:
    """Return mean difference and p of `welch_t`, as `pairwise_t` does of pairs."""
    seeds = np.isfinite(values).sum(0)
    enough = np.where(seeds >= FEWEST_PAIRS, seeds, np.nan)
    middle = np.nansum(values, axis=0) / np.fmax(seeds, 1)
    share = np.nansum((values - middle) ** 2, axis=0) / (enough - 1) / enough
    squared = share[first] + share[second]
    df = squared**2 / (
        share[first] ** 2 / (enough[first] - 1) + share[second] ** 2 / (enough[second] - 1)
    )
    mean = middle[first] - middle[second]
    error = np.sqrt(np.where(squared > 0, squared, np.nan))
    return mean, np.asarray(2 * stats.t.sf(np.abs(mean / error), df))


def _settled(values: Values, rounding: Values) -> Values:
    return np.where(np.abs(values) <= rounding, 0.0, values)
