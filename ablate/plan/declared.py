"""What a study says about its analysis before anything is trained.

What a report would refuse is refused here, by the same rule: what is planned can be reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.analysis.decisions import check, check_percent
from ablate.errors import UserError
from ablate.metric import CATALOG, SCALE, unknown_metric

KEYS = ("metric", "margin", "looks", "variance", "detect")
PREFIX = "study.analysis."
GUARDED = (4, 5)  # arms and seeds from which pooling keeps its error (Statistics, section 3)


def declared(analysis: Any, seeds: int, arms: int, measured: Sequence[str]) -> dict[str, Any]:
    """Return `study.analysis`, checked.

    Args:
        analysis: The node of the config.
        seeds: How many the study has.
        arms: How many can be trained, the reference included.
        measured: The metrics that its trials will have.

    Raises:
        UserError: A key or value is none.
    """
    metric, margin, looks, variance, detect = (analysis[key] for key in KEYS)
    check(variance, margin, looks, PREFIX)
    check_percent("detect", detect, PREFIX)
    check_metric(metric, {"margin": margin, "detect": detect}, measured)
    if looks and seeds not in looks:
        raise UserError(
            f"{PREFIX}looks={looks} plans no look at {seeds} seeds, which study.seeds has; type as "
            "many seeds as one of the looks."
        )
    if variance == "guarded" and (arms, seeds) != tuple(map(max, GUARDED, (arms, seeds))):
        raise UserError(
            f"{PREFIX}variance=guarded needs {GUARDED[0]} arms and {GUARDED[1]} seeds or more, and "
            f"this study has {arms} and {seeds}; type {PREFIX}variance=own."
        )
    found = {"metric": metric, "margin": margin, "looks": list(looks), "variance": variance}
    return found if detect is None else found | {"detect": detect}


def check_metric(metric: Any, percentages: Mapping[str, Any], measured: Sequence[str]) -> None:
    """Refuse a metric that no trial of the study will have, or of which a percentage is none.

    Raises:
        UserError: The sentence says what to type.
    """
    if metric is None:
        return
    if not isinstance(metric, str) or metric not in CATALOG:
        raise unknown_metric(str(metric))
    if metric not in measured:
        raise UserError(
            f"{PREFIX}metric={metric} is not measured in this study, so nothing could decide; type "
            f"one of {', '.join(measured)}, or choose another metric= or data=."
        )
    for key, percent in percentages.items():
        if percent is not None and SCALE[metric] != "ratio":
            raise UserError(
                f"{PREFIX}{key}={percent} is a percentage, and {PREFIX}metric={metric} is compared "
                f"by differences; type {PREFIX}{key}=null, or a metric that is compared by ratios."
            )
