"""A metric that was chosen after looking at the results: described, and not tested.

A test is honest for the metric that was named before training. Of the others the best looking one
would be picked, and its p would be too small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.report.words import DESCRIBED, IDENTICAL

KEPT = ("reference", IDENTICAL)  # verdicts that rest on no test
NUMBERS = (
    *("t", "p", "p_holm", "p_bh", "p_flip", "p_equivalence"),
    *("own_p", "p_varies", "p_failures"),
)


def is_declared(plan: Mapping[str, Any]) -> bool:
    """Return whether a plan has settled, before training, which metric decides.

    Every study of ours has, if only by leaving it at the usual one; an imported table has not.
    """
    return "metric" in (plan.get("analysis") or {})


def untested(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of arms, effects, shares or steps with its numbers and without its tests."""
    if table.empty:
        return table
    kept = table["verdict"].isin(KEPT)
    found = table.assign(**{name: float("nan") for name in NUMBERS if name in table})
    found["verdict"] = found["verdict"].where(kept, DESCRIBED)
    found["reason"] = found["reason"].where(kept, "")
    return found.assign(second_opinion="") if "second_opinion" in found else found
