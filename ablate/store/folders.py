"""Which trials lie in which results folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ablate.errors import UserError
from ablate.store.imported import is_imported
from ablate.store.plan import PLAN, read_plan, require_whole
from ablate.trial import Trial

WAIT = "no trial of its plan has ended yet; wait for the first"
NO_STUDY = "name the folder of a study, the one that holds plan.jsonl and trials/"


@dataclass(frozen=True)
class TrialFolder:
    """Where one trial lies.

    Attributes:
        study: Name of its results folder.
        trial: Its id.
        path: Its own folder.
        arm: What the plan of the results folder calls its arm; None where there is no plan.
    """

    study: str
    trial: str
    path: Path
    arm: str | None = None


def trial_folders(*folders: Path | str) -> list[TrialFolder]:
    """Return every trial folder, by id; of a trial that lies in several the first is taken.

    Where a folder holds a plan, trials of earlier plans are left out. Imported tables have none.

    Raises:
        UserError: No folder is given, one is not there, or one has no results.
    """
    return located(*folders)[0]


def located(*folders: Path | str) -> tuple[list[TrialFolder], list[Trial]]:
    """Return `trial_folders`, and the trials that stand in a plan and have not ended, by id.

    Raises:
        UserError: No folder is given, one is not there, or one has no results.
    """
    if not folders:
        raise UserError("No results folder is given; name at least one, as in results/demo.")
    found, of_plans = dict[str, TrialFolder](), dict[str, Trial]()
    for folder in map(Path, folders):
        planned = _planned(folder)
        of_plans |= planned or {}
        if is_imported(folder):
            continue
        paths, study = _trials(folder), folder.resolve().name
        inside = [p for p in paths if (p.is_dir() if planned is None else p.name in planned)]
        if not inside:
            raise UserError(f"{folder} has no results: {WAIT}.")
        for path in inside:
            arm = None if planned is None else planned[path.name].arm
            found.setdefault(path.name, TrialFolder(study, path.name, path, arm))
    left = sorted(set(of_plans) - set(found))
    return [found[trial] for trial in sorted(found)], [of_plans[trial] for trial in left]


def has_results(folder: Path) -> bool:
    """Return whether a trial of the folder's plan has ended."""
    return any((folder / "trials" / trial).is_dir() for trial in _planned(folder) or {})


def _trials(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; name one that a sweep has written.")
    inside = folder / "trials"
    paths = (
        [path for path in inside.iterdir() if not path.name.startswith(".")]
        if inside.is_dir()
        else []
    )
    if not paths:
        why = WAIT if (folder / PLAN).is_file() else NO_STUDY
        raise UserError(f"{folder} has no results: {why}.")
    return paths


def _planned(folder: Path) -> dict[str, Trial] | None:
    """Return id -> trial of the folder's plan, None where there is none."""
    if not (folder / PLAN).exists():
        require_whole(folder)
        return None
    return {trial.id: trial for trial in read_plan(folder)}
