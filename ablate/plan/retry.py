"""`ablate retry`: trials of a status are moved aside, so that the next sweep trains them again."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ablate.disk import make_folder, sync_folder
from ablate.errors import UserError
from ablate.plan.files import require_study
from ablate.plan.mend import damage
from ablate.plan.pause import by_arm, status_of
from ablate.store.claims import living, take, tidy
from ablate.store.layout import ended
from ablate.store.marks import forget
from ablate.store.plan import read_plan
from ablate.store.record import told
from ablate.store.schema import STATUSES
from ablate.trial import Trial

ASIDE = "retried"


def retry(folder: Path, status: str, arm: str | None = None) -> str:
    """Move the results of all trials of a status aside; return what was done, in words.

    Claims are taken for the time of the move, so that no worker writes what is being moved.

    Args:
        folder: The results folder of a study.
        status: Of the trials.
        arm: Of this arm alone.

    Raises:
        UserError: There are no such trials, or a worker holds one; nothing was moved.
    """
    check(folder, status)
    there = ended(folder)
    asked = [trial for trial in of_arm(read_plan(folder), arm) if trial.id in there]
    broken = damage(folder, [trial.id for trial in asked])
    sound = [trial for trial in asked if trial.id not in broken]
    chosen = [trial for trial in sound if status_of(folder, trial)["status"] == status]
    also = f" {told(broken)}" if broken else ""
    if not chosen:
        of = f"of arm {arm} " if arm else ""
        raise UserError(f"No trial {of}in {folder} is {status}.{also}")
    held = living(folder)
    for trial in chosen:
        if trial.id in held:
            raise UserError(
                f"A worker still holds trial {trial.id} ({trial.arm}, seed {trial.seed}); "
                "nothing was moved. Type the same again when it has ended."
            )
    moved, earlier = list[str](), tries(folder)
    try:
        for trial in chosen:
            move_claimed(folder, trial, earlier)
            moved.append(trial.id)
    finally:
        for place in (folder / "trials", folder / ASIDE):
            sync_folder(place)
        forget(folder, moved)
        tidy(folder)
    n = f"{len(moved)} trial{'' if len(moved) == 1 else 's'}"
    return (
        f"{n} that {'was' if len(moved) == 1 else 'were'} {status}: results moved to "
        f"{folder / ASIDE}. The command of the sweep trains them again.{also}"
    )


def check(folder: Path, status: str) -> None:
    """Refuse what is no study and what is no status of a failure.

    Raises:
        UserError: The sentence says what to type.
    """
    require_study(folder)
    if status not in STATUSES:
        near = difflib.get_close_matches(status, STATUSES, 1)
        hint = f"did you mean '{near[0]}'" if near else f"type one of {', '.join(STATUSES)}"
        raise UserError(f"There is no status '{status}'; {hint}.")


def of_arm(trials: Sequence[Trial], arm: str | None) -> Sequence[Trial]:
    """Return the trials of an arm, or all.

    Raises:
        UserError: There is no such arm.
    """
    if arm is None:
        return trials
    arms = by_arm(trials)
    if arm not in arms:
        near = difflib.get_close_matches(arm, arms, 1)
        hint = f"did you mean '{near[0]}'" if near else f"type one of {', '.join(arms)}"
        raise UserError(f"There is no arm '{arm}' in this study; {hint}.")
    return arms[arm]


def move_claimed(folder: Path, trial: Trial, earlier: Mapping[str, int]) -> None:
    """Move a trial's folder while no worker can take the trial.

    Raises:
        UserError: One has just taken it; those before it were moved.
    """
    claim = take(folder, trial.id)
    if claim is None:
        raise UserError(
            f"A worker has just taken trial {trial.id} ({trial.arm}, seed {trial.seed}); type the "
            "same again when it has ended."
        )
    try:
        move(folder, trial, earlier)
    finally:
        claim.release(more=True)


def move(folder: Path, trial: Trial, earlier: Mapping[str, int]) -> Path:
    """Move a trial's folder to where no reader of results looks; earlier tries stay there."""
    n = 1 + earlier.get(trial.id, 0)
    return (folder / "trials" / trial.id).rename(folder / ASIDE / f"{trial.id}.{n}")


def tries(folder: Path) -> Counter[str]:
    """Return how often each trial was moved aside before, in one look at the disk."""
    make_folder(folder / ASIDE)
    return Counter(path.name.partition(".")[0] for path in (folder / ASIDE).iterdir())
