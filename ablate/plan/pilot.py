"""How much paired seeds differ in results that are there already."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ablate.errors import UserError


def spread_in(folder: Path) -> float | None:
    """Return the SD of paired log ratios in a results folder, over its arms; None without any.

    The root of the mean variance: an arm that varies much makes the whole study look less certain.
    """
    from ablate.report.study import gather

    try:
        study = gather([folder])
    except UserError:
        return None  # nothing there, or nothing that compares: a report says what
    if not study.metric.is_ratio or study.decisions.unpaired:
        return None
    sds = study.table.loc[study.table["pairs"] >= 3, "effect_sd"]
    sds = sds[sds > 0]
    return float(np.sqrt(np.mean(sds**2))) if len(sds) else None
