"""What a person has said of trials: marks.json beside their folder `trials`.

Results are immutable, so a word about one stands beside it: trial -> `mark` and `note`. A tuned
study shares its trials with the one that it was tuned for, and so its marks.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.disk import replace_file, sealed, telling_disk_errors, unsealed
from ablate.errors import UserError
from ablate.store.folders import trial_folders
from ablate.store.imported import is_imported, read_imported
from ablate.store.plan import locked
from ablate.store.record import read_record, trial_row

MARKS = "marks.json"
COLLAPSED, SOUND = "collapsed", "sound"
WORDS: Mapping[str, str] = {
    COLLAPSED: "counts as failed",
    SOUND: "no longer makes its arm suspect",
}
Marks = dict[str, dict[str, str]]


def read_marks(*folders: Path | str) -> Marks:
    """Return trial -> `mark` and `note`, of all folders.

    Raises:
        UserError: A file cannot be read, or two folders say different things of one trial.
    """
    found: Marks = {}
    files = dict.fromkeys(_place(Path(folder)) for folder in folders)
    for file in files:
        for trial, said in _parse(file).items():
            first = found.setdefault(trial, said)["mark"]
            if first != said["mark"]:
                raise UserError(
                    f"Trial {trial} is marked as {said['mark']} in {file} and as {first} in "
                    f"another folder; type `ablate mark {file.parent} {trial} --undo`, or that of "
                    "the other."
                )
    return found


def with_marks(trials: pd.DataFrame, marks: Marks) -> pd.DataFrame:
    """Return `trials`, columns `schema.TRIAL`, with `mark`; one marked collapsed has failed."""
    trials = trials.assign(mark="")
    for trial, said in marks.items():
        row = (trials["trial"] == trial) & (trials["status"] == "done")
        trials.loc[row, "mark"] = said["mark"]
        if said["mark"] == COLLAPSED:
            trials.loc[row, ["status", "reason"]] = [
                COLLAPSED,
                f"marked by a person: {said['note']}",
            ]
    return trials


def mark(folder: Path, trials: Sequence[str], word: str, note: str) -> None:
    """Say of trials that are done that they are collapsed or sound; an earlier word is replaced.

    Args:
        folder: Their results folder.
        trials: Ids.
        word: Of `WORDS`.
        note: Why.

    Raises:
        UserError: A trial is not there, is damaged, or has failed already, or the note is empty.
    """
    note = " ".join(note.split())
    if not note:
        raise UserError('Say why, for whoever reads the report: --note "samples are one blob".')
    ended = _refuse_unknown(folder, trials)
    for trial in trials:
        status = ended[trial]()
        if status != "done":
            raise UserError(
                f"Trial {trial} ended as {status} and counts as failed; only trials that are done "
                "can be marked."
            )
    _change(folder, {trial: {"mark": word, "note": note} for trial in trials})


def unmark(folder: Path, trials: Sequence[str]) -> None:
    """Take back what was said of trials.

    Raises:
        UserError: Nothing was said of one.
    """
    _refuse_unknown(folder, trials)
    marks = read_marks(folder)
    for trial in trials:
        if trial not in marks:
            told = ", ".join(sorted(marks)) or "none"
            raise UserError(f"Trial {trial} is not marked; marked in {folder}: {told}.")
    forget(folder, trials)


def forget(folder: Path, trials: Sequence[str]) -> None:
    """Drop the marks of trials, if they have any: their results are not the same any more."""
    if set(trials) & set(read_marks(folder)):
        _change(folder, dict.fromkeys(trials))


def _place(folder: Path) -> Path:
    return (folder / "trials").resolve().parent / MARKS


def _parse(file: Path) -> Marks:
    try:
        found: Any = unsealed(file.read_bytes())
        marks = {str(trial): {k: str(said[k]) for k in ("mark", "note")}
                 for trial, said in found.items()}  # fmt: skip
    except FileNotFoundError:
        return {}
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{file} cannot be read ({error}); delete it and mark its trials again."
        ) from error
    for trial, said in marks.items():
        if said["mark"] not in WORDS:
            raise UserError(
                f"{file} marks trial {trial} as {said['mark']!r}; write {' or '.join(WORDS)}."
            )
    return marks


def _refuse_unknown(folder: Path, trials: Sequence[str]) -> dict[str, Callable[[], str]]:
    """Return trial -> what says how it ended, whatever a person has said, for all of a folder.

    Raises:
        UserError: One of `trials` is not among them.
    """
    if is_imported(folder):
        table = read_imported(folder, "trials")
        said = dict(zip(table["trial"], table["status"], strict=True))
        known: dict[str, Callable[[], str]] = {trial: partial(str, said[trial]) for trial in said}
    else:
        known = {one.trial: partial(_status, one.path) for one in trial_folders(folder)}
    for trial in trials:
        if trial not in known:
            near = difflib.get_close_matches(trial, known, 3, cutoff=0.4) or list(known)[:3]
            raise UserError(f"There is no trial {trial!r} in {folder}; type one of {near}.")
    return known


def _status(path: Path) -> str:
    return str(trial_row(read_record(path), "")["status"])


def _change(folder: Path, said: Mapping[str, dict[str, str] | None]) -> None:
    """Write marks.json anew; None drops a mark."""
    file = _place(folder)
    with telling_disk_errors(folder), locked(file.parent, alone=True):
        marks = {trial: one for trial, one in (_parse(file) | dict(said)).items() if one}
        if marks:
            replace_file(file, sealed(marks))
        else:
            file.unlink(missing_ok=True)
