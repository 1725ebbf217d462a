"""Which arm fails more often, over the same seeds."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from ablate.analysis.adjust import holm
from ablate.analysis.columns import RELIABILITY
from ablate.analysis.decisions import ALPHA
from ablate.analysis.failures import wilson
from ablate.store.schema import conform, names

FEWEST_SEEDS = 10  # with 5, an arm that fails in 30 % of runs is never told from one with 5 %


def reliability(final: pd.DataFrame, reference: str, alpha: float = ALPHA) -> pd.DataFrame:
    """Return one row per arm, columns `columns.RELIABILITY`; under 10 shared seeds no verdict.

    Args:
        final: As `final_values` gives it.
        reference: Arm that the others are compared with.
        alpha: Level of the verdict, for p adjusted over arms (Holm).
    """
    failed = final.pivot(index="seed", columns="arm", values="failed")
    arms = [str(arm) for arm in failed.columns if arm != reference]
    table = pd.DataFrame([_row(failed, arm, reference) for arm in arms], columns=names(RELIABILITY))
    table["p_holm"] = holm(table["p"].astype("float64"))
    table["verdict"] = [_verdict(row, alpha) for row in table.to_dict("records")]
    return conform(table.assign(reference=reference), RELIABILITY)


def mcnemar_p(only_first: int, only_second: int) -> tuple[float, float]:
    """Return exact p and mid-p of McNemar's test from the discordant pairs.

    Mid-p is exact p less the probability of what was seen (Fagerland, Lydersen and Laake, 2013,
    "The McNemar test for binary matched-pairs data"). Without discordant pairs both are 1.
    """
    exact = float(mcnemar([[0, only_first], [only_second, 0]], exact=True).pvalue)
    both = only_first + only_second
    seen = float(stats.binom.pmf(min(only_first, only_second), both, 0.5))
    # halves of an even split are counted twice, which statsmodels cuts at 1
    twice = 2 * float(stats.binom.cdf(min(only_first, only_second), both, 0.5))
    return exact, min(1.0, twice - seen)


def _row(failed: pd.DataFrame, arm: str, reference: str) -> dict[str, Any]:
    shared = failed[[arm, reference]].dropna().astype(bool)
    mine, theirs = shared[arm], shared[reference]
    more, fewer = int((mine & ~theirs).sum()), int((theirs & ~mine).sum())
    exact, mid = mcnemar_p(more, fewer)
    enough = len(shared) >= FEWEST_SEEDS
    low, high = wilson(int(mine.sum()), len(shared)) if len(shared) else (0.0, 1.0)
    return {
        "arm": arm,
        "seeds": len(shared),
        "failed": int(mine.sum()),
        "failed_low": low,
        "failed_high": high,
        "only_arm": more,
        "only_reference": fewer,
        "p_exact": exact,
        "p": mid if enough else float("nan"),
    }


def _verdict(row: dict[Any, Any], alpha: float) -> str:
    if row["seeds"] < FEWEST_SEEDS:
        return f"not judged under {FEWEST_SEEDS} seeds"
    if not row["p_holm"] <= alpha:
        return "inconclusive"
    return "less reliable" if row["only_arm"] > row["only_reference"] else "more reliable"
