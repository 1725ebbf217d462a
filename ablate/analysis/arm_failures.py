"""Which arm fails more often than what it is compared with: exact tests over seeds.

McNemar's of the seeds that both ran; of arms that share none, that of failures which fall on the
trials of the two at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.analysis.failure_test import (
    FEWEST_SEEDS,
    UNTOLD,
    FailureTest,
    Stratum,
    mcnemar_test,
    permutation_test,
)

COLUMNS = ("own_seeds", "failed_own", "reference_seeds", "failed_reference")
Failed = npt.NDArray[np.bool_]


def arm_failures(
    final: pd.DataFrame, references: Mapping[str, str], unpaired: bool = False
) -> pd.DataFrame:
    """Return one row per arm: failures over the seeds that both ran, and their test.

    Args:
        final: As `final_values` gives it.
        references: Arm -> what it is compared with; itself where it is only described.
        unpaired: Seeds say nothing of each other: all of either arm count.
    """
    failed = final.pivot(index="seed", columns="arm", values="failed")
    rows = []
    for arm, other in references.items():
        both = failed[[arm, other]] if unpaired else failed[[arm, other]].dropna()
        mine, theirs = (
            both.iloc[: 0 if arm == other else None, place].dropna().to_numpy(bool)
            for place in range(2)
        )
        test = _tested(mine, theirs, unpaired)
        told = (len(mine), int(mine.sum()), len(theirs), int(theirs.sum()))
        rows.append(
            {"arm": arm}
            | dict(zip(COLUMNS, told, strict=True))
            | {"p_failures": test.p, "smallest_failures": test.smallest}
            | {"excess_failures": test.excess}
        )
    return pd.DataFrame(rows)


def _tested(mine: Failed, theirs: Failed, unpaired: bool) -> FailureTest:
    if min(len(mine), len(theirs)) < FEWEST_SEEDS:
        return UNTOLD
    if not unpaired:
        return mcnemar_test(int((mine & ~theirs).sum()), int((theirs & ~mine).sum()))
    column = np.repeat([0.5, -0.5], [len(mine), len(theirs)])
    return permutation_test([Stratum(column, np.concatenate([mine, theirs]))])


def failing_word(row: Mapping[Any, Any], level: float) -> str:
    """Return `fails more` or `fails less` if the failures are named, else ""."""
    if not row["p_failures_holm"] <= level:
        return ""
    return "fails more" if row["excess_failures"] > 0 else "fails less"


def seed_counts(row: Mapping[Any, Any], unit: str = "seed") -> str:
    """Return `failed in 8 of 8 seeds (reference 1)`; "" where neither did."""
    if not row["failed_own"] + row["failed_reference"]:
        return ""
    of = "" if row["reference_seeds"] == row["own_seeds"] else f" of {row['reference_seeds']}"
    told = (
        f"failed in {row['failed_own']} of {row['own_seeds']} {unit}s "
        f"({row['reference']} {row['failed_reference']}{of})"
    )
    chance = pd.isna(row["p_failures_holm"]) and row["excess_failures"] != 0
    return told + ", too few to tell from chance" * chance
