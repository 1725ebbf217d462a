"""Mirrors of training in other tools. Nothing is ever read back from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ablate.catalog import unknown
from ablate.errors import UserError

if TYPE_CHECKING:
    from ablate.train.loop import Listener
    from ablate.trial import Trial

MODES = ("offline", "online", "disabled")
NAMES = ("none", "wandb")


def check_tracker(settings: Mapping[str, Any]) -> None:
    """Refuse a tracker that cannot work, before training.

    Raises:
        UserError: There is no such tracker or mode, or its package is missing.
    """
    if settings["name"] not in NAMES:
        raise unknown("tracker", str(settings["name"]), NAMES)
    if settings["name"] == "wandb":
        if settings["mode"] not in MODES:
            raise unknown("tracker.mode", str(settings["mode"]), MODES)
        if find_spec("wandb") is None:
            raise UserError("wandb is not installed; type `pip install wandb` or tracker=none.")


def trackers(settings: Mapping[str, Any], trials: Sequence[Trial]) -> list[Listener]:
    """Return the listeners of `tracker=`, for the trials of a stack."""
    if settings["name"] == "none":
        return []
    from ablate.tracker.wandb import Wandb  # brings torch, which a report does without

    return [Wandb(trials, settings)]
