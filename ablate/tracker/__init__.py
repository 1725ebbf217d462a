"""Mirrors of training in other tools. Nothing is ever read back from them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import UserError, unknown

if TYPE_CHECKING:
    from ablate.train.listener import Listener
    from ablate.trial import Trial

MODES = {  # as WANDB_MODE may spell them -> what is meant
    **{mode: mode for mode in ("offline", "online", "disabled", "shared")},
    "dryrun": "offline",
    "run": "online",
}
NAMES = ("none", "wandb")
QUIET = {"silent": True, "console": "off", "finish_timeout": 60.0}  # seconds for what is unsent


def check_tracker(settings: Mapping[str, Any]) -> None:
    """Refuse a tracker that cannot work, before training.

    Raises:
        UserError: There is no such tracker or mode, its package or its key is missing, or its
            folder cannot be written.
    """
    if settings["name"] not in NAMES:
        raise unknown("tracker", str(settings["name"]), NAMES)
    if settings["name"] == "none":
        return
    mode = str(settings["mode"] or "offline")
    if mode not in MODES:
        raise unknown("tracker.mode", mode, MODES)
    if find_spec("wandb") is None:
        raise UserError("wandb is not installed; type `pip install wandb` or tracker=none.")
    if MODES[mode] in ("online", "shared"):
        from ablate.tracker.login import has_key

        if not has_key():
            raise UserError(
                f"Weights & Biases in mode {mode} needs a key, and there is none here; type `wandb "
                "login`, or export WANDB_API_KEY, or choose offline and send the runs later with "
                "`wandb sync`."
            )


def run_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `wandb.init` takes of the settings of a tracker; a folder that lacks is made."""
    folder = Path(settings["dir"]).expanduser()
    folder.mkdir(parents=True, exist_ok=True)  # wandb would choose another one, without a word
    return {
        "project": settings["project"] or "ablate",
        "entity": settings.get("entity"),
        "mode": MODES[settings["mode"] or "offline"],
        "dir": str(folder),
    }


def quiet() -> dict[str, Any]:
    """Return the settings of a run that does not talk or wait, but for what a user exported."""
    return {key: value for key, value in QUIET.items() if f"WANDB_{key.upper()}" not in os.environ}


def exported(mode: str | None, folder: Path) -> dict[str, Any]:
    """Return the settings of a run that no config describes: as exported, in a mode that was typed.

    Args:
        mode: As typed, None where none was.
        folder: Where the run's files go unless WANDB_DIR says so.
    """
    return {
        "name": "wandb",
        "project": os.environ.get("WANDB_PROJECT"),
        "entity": os.environ.get("WANDB_ENTITY"),
        "mode": mode or os.environ.get("WANDB_MODE"),
        "dir": os.environ.get("WANDB_DIR") or str(folder.resolve()),
    }


def trackers(settings: Mapping[str, Any], trials: Sequence[Trial]) -> list[Listener]:
    """Return the listeners of `tracker=`, for the trials of a stack."""
    if settings["name"] == "none":
        return []
    from ablate.tracker.wandb import Wandb  # brings torch, which a report does without

    return [Wandb(trials, settings)]
