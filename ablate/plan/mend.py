"""What is damaged in a results folder is set aside, so that it is trained or searched again.

Only a command that trains does this. One that reads says what is damaged and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ablate.errors import UserError
from ablate.plan.claim import take, tidy
from ablate.plan.files import (
    ASIDE,
    STUDY,
    TUNED,
    drop_tuned,
    ended,
    move_aside,
    read_plan,
    searches,
)
from ablate.screen import counted
from ablate.search.book import read_book
from ablate.store.disk import telling_disk_errors
from ablate.store.plan import lost_of_tuned
from ablate.store.record import problem_of

HEX = set("0123456789abcdef")


def damage(folder: Path, trials: Iterable[str]) -> dict[str, str]:
    """Return trial -> what is wrong with it, of those that are there and damaged."""
    there = ended(folder)
    found = {t: problem_of(folder / "trials" / t) for t in trials if t in there}
    return {trial: problem for trial, problem in found.items() if problem}


def mend(folder: Path) -> list[str]:
    """Set aside what is damaged of a study; return what was done, in words."""
    with telling_disk_errors(folder):
        told = mend_trials(folder, sorted(filter(is_id, ended(folder))))
        return [*told, *mend_search(folder)]


def mend_trials(folder: Path, trials: Iterable[str]) -> list[str]:
    """Set aside those of some trials that are damaged; return what was done, in words."""
    found = damage(folder, trials)
    moved = [f"{t} ({problem})" for t, problem in found.items() if moved_aside(folder, t)]
    tidy(folder)
    if not moved:
        return []
    return [
        f"{counted(len(moved), 'damaged trial')} moved to {folder / ASIDE}, and trained again "
        f"where the plan has it: {', '.join(moved)}."
    ]


def moved_aside(folder: Path, trial: str) -> bool:
    """Move a damaged trial to where no reader looks, unless somebody is at it."""
    claim, path = take(folder, trial), folder / "trials" / trial
    if claim is None:
        return False
    try:
        if problem_of(path) is None:  # somebody else has moved it, and trained it again
            return False
        move_aside(folder, path)
        return True
    finally:
        claim.release(more=True)


def mend_search(folder: Path) -> list[str]:
    """Set aside damaged books of a search: it is told anew from the trials that are there."""
    told = list[str]()
    lost_ones = lost_of_tuned(folder / TUNED)
    over = bool(lost_ones) or (folder / TUNED / STUDY).is_file()
    for arm, search in searches(folder).items():
        path = folder / "search" / f"{search['key']}.json"
        try:
            lost = over and not read_book(path).candidates
        except UserError:
            move_aside(folder, path)
            lost = True
        if lost:
            told.append(f"The book of the search of {arm} was damaged; it is written again.")
    if over and (told or lost_ones or not is_plan(folder / TUNED)):
        drop_tuned(folder)
    return told


def is_plan(folder: Path) -> bool:
    """Return whether the two files of a plan can be read."""
    try:
        return bool(read_plan(folder))
    except UserError:
        return False


def is_id(name: str) -> bool:
    """Return whether a name is that of a trial."""
    return len(name) == 16 and set(name) <= HEX
