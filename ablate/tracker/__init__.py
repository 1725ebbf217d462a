"""Mirrors of training in other tools. Nothing is ever read back from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.compose import unknown
from ablate.train.loop import Listener
from ablate.trial import Trial

NAMES = ("none", "wandb")


def trackers(settings: Mapping[str, Any], trials: Sequence[Trial]) -> list[Listener]:
    """Return the listeners of `tracker=`, for the trials of a stack.

    Raises:
        UserError: There is no such tracker, or its package is missing.
    """
    if settings["name"] == "none":
        return []
    if settings["name"] != "wandb":
        raise unknown("tracker", settings["name"], NAMES)
    from ablate.tracker.wandb import Wandb

    return [Wandb(trials, settings)]
