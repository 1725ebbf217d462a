"""A ladder's steps: each rung against the one before, so what the last trick added changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.analysis.against import against
from ablate.analysis.decisions import Decisions
from ablate.analysis.metric import Metric


def steps(
    final: pd.DataFrame,
    study: Mapping[str, Any],
    metric: Metric,
    decisions: Decisions,
    detect: float | None = None,
) -> pd.DataFrame:
    """Return one row per rung in the plan's order, columns `columns.COMPARISON`.

    `reference` is the rung before; the first is described. A rung that cannot be trained, or has
    not ended yet, is stepped over.

    Args:
        final: As `final_values` gives it.
        study: What `study.json` holds; its arms, from the lowest rung up.
        metric: Its scale and its better direction.
        decisions: What the plan decided.
        detect: As in `compare`.
    """
    ran = set(final["arm"])
    rungs = [arm["arm"] for arm in study["arms"] if not arm["refused"] and arm["arm"] in ran]
    final = final[final["arm"].isin(rungs)]
    references = dict(zip(rungs, [*rungs[:1], *rungs], strict=False))
    return against(final, references, metric, decisions, detect)
