"""Ranks of arms, and how little the data may say of them."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pandas as pd

from ablate.analysis.adjust import holm
from ablate.analysis.columns import RANKS
from ablate.analysis.decisions import Decisions
from ablate.analysis.metric import Metric
from ablate.analysis.paired import Paired, paired_t
from ablate.store.schema import conform, names


def ranks(final: pd.DataFrame, metric: Metric, decisions: Decisions) -> pd.DataFrame:
    """Return one row per arm with a done trial, best first, columns `columns.RANKS`.

    An arm's rank is at least 1 + the arms that surely are better, at most J - the arms that surely
    are worse; surely is by paired t over all pairs of arms, Holm over all of them, so that all
    ranks hold at once. Source: Mogstad, Romano, Shaikh and Wilhelm, 2024, "Inference for ranks".

    Args:
        final: As `final_values` gives it.
        metric: Its scale and its better direction.
        decisions: What the plan decided.
    """
    done = final[~final["failed"]]
    values = done.pivot(index="seed", columns="arm", values="value").transform(metric.forward)
    pairs = list(combinations(map(str, values.columns), 2))
    found = [_paired(values, *pair) for pair in pairs]
    p = holm(pd.Series([one.p for one in found], dtype="float64"))
    better, worse = Counter[str](), Counter[str]()  # arms that surely are better, or worse, than it
    for (first, second), one, adjusted in zip(pairs, found, p, strict=True):
        if adjusted <= decisions.alpha:
            wins = metric.is_better(one.mean)
            worse[first if wins else second] += 1
            better[second if wins else first] += 1
    table = pd.DataFrame({"arm": values.columns.astype("str"), "mean": values.mean().to_numpy()})
    table = table.assign(
        rank=table["mean"].rank(method="min", ascending=not metric.higher_is_better),
        rank_low=[1 + better[arm] for arm in table["arm"]],
        rank_high=[len(table) - worse[arm] for arm in table["arm"]],
    )
    return conform(table[names(RANKS)].sort_values(["rank", "arm"], ignore_index=True), RANKS)


def _paired(values: pd.DataFrame, first: str, second: str) -> Paired:
    both = values[[first, second]].dropna().to_numpy()
    return paired_t(both[:, 0], both[:, 1])
