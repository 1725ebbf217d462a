"""Which arm fails more often than what it is compared with: McNemar's exact test over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.analysis.failure_test import FEWEST_SEEDS, UNTOLD, FailureTest, mcnemar_test

COLUMNS = ("shared_seeds", "failed_shared", "failed_reference")


def arm_failures(
    final: pd.DataFrame, references: Mapping[str, str], unpaired: bool = False
) -> pd.DataFrame:
    """Return one row per arm: failures over the seeds that both ran, and their test.

    Args:
        final: As `final_values` gives it.
        references: Arm -> what it is compared with; itself where it is only described.
        unpaired: Seeds say nothing of each other: nothing is counted and nothing tested.
    """
    failed = final.pivot(index="seed", columns="arm", values="failed")
    rows = []
    for arm, other in references.items():
        shared = failed[[arm, other]].dropna().astype(bool).to_numpy()
        shared = shared[:0] if unpaired or arm == other else shared
        mine, theirs = shared.T
        test = _tested(int((mine & ~theirs).sum()), int((theirs & ~mine).sum()), len(shared))
        told = (len(shared), int(mine.sum()), int(theirs.sum()))
        rows.append(
            {"arm": arm}
            | dict(zip(COLUMNS, told, strict=True))
            | {"p_failures": test.p, "smallest_failures": test.smallest}
        )
    return pd.DataFrame(rows)


def _tested(only_arm: int, only_reference: int, seeds: int) -> FailureTest:
    return mcnemar_test(only_arm, only_reference) if seeds >= FEWEST_SEEDS else UNTOLD


def failing_word(row: Mapping[Any, Any], level: float) -> str:
    """Return `fails more` or `fails less` if the failures are named, else ""."""
    if not row["p_failures_holm"] <= level:
        return ""
    return "fails more" if row["failed_shared"] > row["failed_reference"] else "fails less"


def seed_counts(row: Mapping[Any, Any], unit: str = "seed") -> str:
    """Return `failed in 8 of 8 seeds (reference 1)`; "" where neither did."""
    if not row["failed_shared"] + row["failed_reference"]:
        return ""
    told = (
        f"failed in {row['failed_shared']} of {row['shared_seeds']} {unit}s "
        f"({row['reference']} {row['failed_reference']})"
    )
    alike = row["failed_shared"] == row["failed_reference"]
    chance = pd.isna(row["p_failures_holm"]) and not alike
    return told + ", too few to tell from chance" * chance
