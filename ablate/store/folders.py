"""Which trials lie in which results folders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ablate.errors import UserError
from ablate.store.record import trial_of
from ablate.trial import Trial


@dataclass(frozen=True)
class TrialFolder:
    """Where one trial lies; `study` is the name of its results folder."""

    study: str
    trial: str
    path: Path


def trial_folders(*folders: Path | str) -> list[TrialFolder]:
    """Return every trial of `folders`, by id; of one that lies in several the first is taken.

    Raises:
        UserError: No folder is given, one is not there, or one has no results.
    """
    if not folders:
        raise UserError("No results folder is given; name at least one, as in results/demo.")
    found: dict[str, TrialFolder] = {}
    for folder in map(Path, folders):
        for path in _trials(folder):
            found.setdefault(path.name, TrialFolder(folder.resolve().name, path.name, path))
    return [found[trial] for trial in sorted(found)]


def pending_trials(*folders: Path | str) -> list[Trial]:
    """Return the trials that stand in a plan and have not ended, by id.

    Raises:
        UserError: A line of a plan cannot be read.
    """
    ended = {found.trial for found in trial_folders(*folders)}
    planned = {trial.id: trial for folder in map(Path, folders) for trial in _planned(folder)}
    return [planned[trial] for trial in sorted(set(planned) - ended)]


def _trials(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; name one that a sweep has written.")
    inside = folder / "trials"
    paths = (
        [path for path in inside.iterdir() if path.is_dir() and not path.name.startswith(".")]
        if inside.is_dir()
        else []
    )
    if not paths:
        wait = "no trial has ended yet; wait for the first" if _has_plan(folder) else _no_study()
        raise UserError(f"{folder} has no results: {wait}.")
    return paths


def _has_plan(folder: Path) -> bool:
    return (folder / "plan.jsonl").is_file()


def _no_study() -> str:
    return "name the folder of a study, the one that holds plan.jsonl and trials/"


def _planned(folder: Path) -> list[Trial]:
    if not _has_plan(folder):
        return []
    lines = (folder / "plan.jsonl").read_text(encoding="utf-8").splitlines()
    try:
        return [trial_of(json.loads(line)) for line in lines if line.strip()]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / 'plan.jsonl'} cannot be read ({error!r}); start the sweep again, "
            "which writes it anew and keeps all results."
        ) from error
