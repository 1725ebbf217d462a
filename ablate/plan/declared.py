"""What a study says about its analysis before anything is trained."""

from __future__ import annotations

from typing import Any

from ablate.catalog import unknown
from ablate.errors import UserError
from ablate.metric_catalog import CATALOG
from ablate.metric_names import unknown_metric

KEYS = ("metric", "margin", "looks", "variance")
VARIANCES = ("own", "guarded")
GUARDED = (4, 5)  # arms and seeds from which pooling keeps its error (Statistics, section 3)


def declared(analysis: Any, seeds: int, arms: int) -> dict[str, Any]:
    """Return `study.analysis`, checked.

    Args:
        analysis: The node of the config.
        seeds: How many the study has.
        arms: How many, the reference included.

    Raises:
        UserError: A key or value is none.
    """
    metric, margin, looks, variance = (analysis[key] for key in KEYS)
    if metric is not None and metric not in CATALOG:
        raise unknown_metric(str(metric))
    numeric = isinstance(margin, int | float) and not isinstance(margin, bool)
    if margin is not None and not (numeric and 0 < margin < 100):
        raise UserError(
            f"study.analysis.margin={margin} is no margin of equivalence; type a percentage above "
            "0 and below 100, or null."
        )
    check_looks(looks, seeds)
    if variance not in VARIANCES:
        raise unknown("study.analysis.variance", str(variance), VARIANCES)
    if variance == "guarded" and (arms, seeds) != tuple(map(max, GUARDED, (arms, seeds))):
        raise UserError(
            f"study.analysis.variance=guarded needs {GUARDED[0]} arms and {GUARDED[1]} seeds or "
            f"more, and this study has {arms} and {seeds}; type study.analysis.variance=own."
        )
    return {"metric": metric, "margin": margin, "looks": list(looks), "variance": variance}


def check_looks(looks: Any, seeds: int) -> None:
    """Refuse planned looks that are no growing numbers of seeds, this study's among them.

    Raises:
        UserError: The sentence says what to type.
    """
    whole = isinstance(looks, list) and all(type(n) is int and n >= 2 for n in looks)
    if not whole or looks != sorted(set(looks)):
        raise UserError(
            f"study.analysis.looks={looks} must list growing numbers of seeds: [3,5,8], or [] for "
            "one look at the end."
        )
    if looks and seeds not in looks:
        raise UserError(
            f"study.analysis.looks={looks} plans no look at {seeds} seeds, which study.seeds has; "
            "type as many seeds as one of the looks."
        )
