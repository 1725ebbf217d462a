"""Which arm fails more often, over the same seeds."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ablate.analysis.columns import RELIABILITY
from ablate.analysis.failure_test import FAMILY, FEWEST_SEEDS, mcnemar_test, tarone_holm
from ablate.analysis.failures import wilson
from ablate.store.schema import conform, names

TOO_FEW = "too few to tell from chance"
NAN = float("nan")


def reliability(final: pd.DataFrame, reference: str, level: float = FAMILY) -> pd.DataFrame:
    """Return one row per arm, columns `columns.RELIABILITY`.

    Args:
        final: As `final_values` gives it.
        reference: Arm that the others are compared with.
        level: Of the family of the arms whose seeds could tell them apart at all.
    """
    failed = final.pivot(index="seed", columns="arm", values="failed")
    arms = [str(arm) for arm in failed.columns if arm != reference]
    table = pd.DataFrame([_row(failed, arm, reference) for arm in arms], columns=names(RELIABILITY))
    discordant = (table["only_arm"] + table["only_reference"]).astype("float64")
    smallest = (2 * 0.5**discordant).clip(upper=1.0)
    table["p_holm"] = tarone_holm(table["p_exact"].astype("float64"), smallest, level)
    table["verdict"] = [_verdict(row, level) for row in table.to_dict("records")]
    return conform(table.assign(reference=reference), RELIABILITY)


def mcnemar_p(only_first: int, only_second: int) -> tuple[float, float]:
    """Return exact p and mid-p of McNemar's test from the discordant pairs.

    Mid-p is exact p less the probability of what was seen (Fagerland, Lydersen and Laake, 2013,
    "The McNemar test for binary matched-pairs data"). Without discordant pairs both are 1.
    """
    test = mcnemar_test(only_first, only_second)
    return test.exact, test.mid


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
        "p_exact": exact if enough else NAN,
        "p": mid if enough else NAN,
    }


def _verdict(row: dict[Any, Any], level: float) -> str:
    if pd.isna(row["p_holm"]):
        return TOO_FEW
    if not row["p_holm"] <= level:
        return "inconclusive"
    return "fails more" if row["only_arm"] > row["only_reference"] else "fails less"
