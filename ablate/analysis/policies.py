"""What failures do to an answer: every policy beside the others, none hidden behind a default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ablate.analysis.columns import POLICIES
from ablate.analysis.decisions import DONE, REFUSED, refuse
from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import Paired, paired_t
from ablate.analysis.signflip import MOST_SEEDS, signflip
from ablate.analysis.suspects import suspects
from ablate.analysis.worst import fill_worst
from ablate.errors import UserError
from ablate.store.schema import conform, names

FAR = 1e6  # times anything that was measured: a failure is worse than every value


def policies(
    final: pd.DataFrame,
    reference: str,
    metric: Metric,
    chosen: Sequence[str] = ("exclude", "worst", "censor", "marked"),
) -> pd.DataFrame:
    """Return one row per arm and policy, columns `columns.POLICIES`; p is of one comparison.

    exclude: complete pairs. worst: a failure is the worst value of the two arms. censor: a failure
    is worse than every value, by signed ranks and an exact sign-flip test; two failures in a pair
    are a tie, which keeps its rank and has no sign (Pratt, 1959). marked: exclude, after trials
    that may be unmarked collapses are counted as failures.

    Args:
        final: As `final_values` gives it.
        reference: Arm that the others are compared with.
        metric: Its scale and its worse direction.
        chosen: Which policies.

    Raises:
        UserError: A policy is not done; the sentence gives the reason.
    """
    for name in chosen:
        if name in REFUSED["failures"]:
            refuse("failures", name)
        if name not in FUNCTIONS:
            raise UserError(
                f"failures={name} is not known; choose {DONE['failures']}, or read the others "
                f"beside it: {', '.join(FUNCTIONS)}."
            )
    doubted = set(suspects(final, metric)["trial"])
    values = final.pivot(index="seed", columns="arm", values="value")
    ran = final.pivot(index="seed", columns="arm", values="trial").notna()
    marked = final.assign(value=final["value"].mask(final["trial"].isin(doubted)))
    unmarked = marked.pivot(index="seed", columns="arm", values="value")
    rows = []
    for arm in values.columns.drop(reference):
        shared = ran[[arm, reference]].all(axis=1)
        for name in chosen:
            both = (unmarked if name == "marked" else values).loc[shared, [arm, reference]]
            rows.append({"arm": arm, "policy": name} | FUNCTIONS[name](both.to_numpy(), metric))
    table = pd.DataFrame(rows, columns=names(POLICIES))
    return conform(table.assign(reference=reference, scale=metric.scale), POLICIES)


def signed_ranks(both: Values, metric: Metric) -> Values:
    """Return the rank of each difference by size, with its sign; equal sizes share their mean rank.

    Args:
        both: `[N, 2]`, arm and reference, NaN where a trial failed.
        metric: Its scale and its worse direction.
    """
    values = metric.forward(both)
    largest = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 0.0
    failure = FAR * (1 + largest) * (-1 if metric.higher_is_better else 1)
    filled = np.where(np.isfinite(values), values, failure)
    differences = filled[:, 0] - filled[:, 1]
    return np.sign(differences) * stats.rankdata(np.abs(differences))


def _exclude(both: Values, metric: Metric) -> dict[str, Any]:
    pairs = metric.forward(both[np.isfinite(both).all(1)])
    return _row(paired_t(pairs[:, 0], pairs[:, 1]), metric)


def _worst(both: Values, metric: Metric) -> dict[str, Any]:
    filled = fill_worst(both, metric)
    return _row(paired_t(filled[:, 0], filled[:, 1]), metric)


def _censor(both: Values, metric: Metric) -> dict[str, Any]:
    ranks = signed_ranks(both, metric)
    improved = (ranks > 0) if metric.higher_is_better else (ranks < 0)
    tested = 0 < len(ranks) <= MOST_SEEDS and ranks.any()
    p = float(signflip(ranks[:, None])[0]) if tested else float("nan")
    return _row(Paired(len(ranks), p=p), metric) | {"seeds_better": int(improved.sum())}


def _row(paired: Paired, metric: Metric) -> dict[str, Any]:
    return {
        "pairs": paired.pairs,
        "effect": metric.back(paired.mean),
        "low": metric.back(paired.low),
        "high": metric.back(paired.high),
        "p": paired.p,
        "seeds_better": float("nan"),
    }


FUNCTIONS: dict[str, Callable[[Values, Metric], dict[str, Any]]] = {
    "exclude": _exclude,
    "worst": _worst,
    "censor": _censor,
    "marked": _exclude,
}
