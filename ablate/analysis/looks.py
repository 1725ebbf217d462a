"""Looks at a study that is still running, planned ahead, so that looking costs no honesty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.analysis.decisions import Decisions


def at_look(frame: pd.DataFrame, study: Mapping[str, Any], decisions: Decisions) -> pd.DataFrame:
    """Return the rows of the seeds that belong to the last planned look that is reached.

    A look is reached when every arm that can be trained has ended under the first seeds of the
    plan, as many as the look has. Before the first, and without looks, all rows are returned.

    Args:
        frame: Results as `store.read` gives them.
        study: What `study.json` holds.
        decisions: Of the study.
    """
    planned = list(study.get("seeds") or [])
    if not decisions.looks or not planned:
        return frame
    arms = [arm for arm in study["arms"] if not arm["refused"]]
    ended = set(zip(frame["arm"], frame["seed"], strict=True))
    complete = 0
    for seed in planned:
        if any((arm["arm"], seed) not in ended for arm in arms if seed in _seeds(arm, planned)):
            break
        complete += 1
    reached = [look for look in decisions.looks if look <= complete]
    return frame[frame["seed"].isin(planned[: reached[-1]])] if reached else frame


def is_before_first(seeds: int, decisions: Decisions) -> bool:
    """Return whether so many seeds are fewer than the first look asks for."""
    return bool(decisions.looks) and seeds < decisions.looks[0]


def _seeds(arm: Mapping[str, Any], planned: list[int]) -> list[int]:
    own = arm.get("seeds")
    return planned if own is None else list(own)
