"""Where things lie in a results folder."""

from __future__ import annotations

import os
from pathlib import Path

from ablate.disk import make_folder
from ablate.trial import Trial

ASIDE = "damaged"  # the folder of what was set aside


def is_finished(folder: Path, trial: Trial) -> bool:
    """Return whether a trial's results are there, whatever its status."""
    return (folder / "trials" / trial.id).is_dir()


def ended(folder: Path) -> set[str]:
    """Return the ids of all trials that have results, in one look at the disk."""
    try:
        return {name for name in os.listdir(folder / "trials") if name[0] != "."}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def move_aside(folder: Path, path: Path) -> Path:
    """Move what is damaged to where no reader looks; earlier ones stay there."""
    aside = folder / ASIDE
    make_folder(aside)
    n = 1 + len(list(aside.glob(f"{path.stem}.*")))
    return path.rename(aside / f"{path.stem}.{n}{path.suffix}")
