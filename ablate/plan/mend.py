"""What is damaged in a results folder is set aside, so that it is trained or searched again.

Only a command that trains does this. One that reads says what is damaged and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ablate.disk import telling_disk_errors
from ablate.errors import UserError
from ablate.plan.files import book_of, remember
from ablate.plan.search_file import drop_tuned, searches
from ablate.screen.letters import counted
from ablate.search.journal import read_book
from ablate.search.mirror import FILE, damage_of_mirror
from ablate.store.claims import take, tidy
from ablate.store.layout import ASIDE, ended, move_aside
from ablate.store.plan import STUDY, TUNED, locked, lost_of_search, lost_of_tuned, read_plan
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
        trials = sorted(filter(is_id, ended(folder)))
        told = mend_search(folder, damage(folder, trials))  # books first: they say what lacks
        return [*mend_trials(folder, trials), *told]


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


def mend_search(folder: Path, broken: Collection[str]) -> list[str]:
    """Set aside damaged books of a search: it is told anew from the trials that are there.

    Args:
        folder: The results folder.
        broken: Damaged trials; the book of a search that has trained one is told anew as well.
    """
    told, there = list[str](), list[str]()
    gone = lost_of_search(folder)
    missing = bool(lost_of_tuned(folder / TUNED)) or TUNED in gone
    over = missing or (folder / TUNED / STUDY).is_file()
    for arm, search in searches(folder).items():
        name = book_of(search["key"])
        lost = name in gone or (over and not (folder / name).exists())
        if is_unfit(folder / name, broken):
            move_aside(folder, folder / name)
            lost = True
        if lost:
            told.append(f"The book of the search of {arm} was damaged; it is written again.")
        elif (folder / name).exists():
            there.append(name)
    if over and (told or missing or not is_plan(folder / TUNED)):
        drop_tuned(folder)
        over = False
    with locked(folder, alone=True):
        remember(folder, [*there, TUNED] if over else there, only=True)
    return told


def is_unfit(path: Path, broken: Collection[str]) -> bool:
    """Return whether a book is damaged, or tells of a trial that is."""
    try:
        book = read_book(path)
    except UserError:
        return True
    return any(not set(candidate.trials).isdisjoint(broken) for candidate in book.candidates)


def mend_mirror(folder: Path) -> list[str]:
    """Set aside what Optuna's tools cannot read; return what was done, in words."""
    problem = damage_of_mirror(folder)
    if problem is None and ((folder / FILE).exists() or not (folder / TUNED / STUDY).is_file()):
        return []
    if problem is None:
        return [
            f"{folder / FILE}, where Optuna's tools see the search, was lost; it is told again."
        ]
    with telling_disk_errors(folder):
        place = move_aside(folder, folder / FILE)
    return [f"{folder / FILE} was damaged ({problem}); moved to {place}, and told again."]


def is_plan(folder: Path) -> bool:
    """Return whether the two files of a plan can be read."""
    try:
        return bool(read_plan(folder))
    except UserError:
        return False


def is_id(name: str) -> bool:
    """Return whether a name is that of a trial."""
    return len(name) == 16 and set(name) <= HEX
