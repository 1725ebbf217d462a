"""What a person has said of trials: marks.json beside their folder `trials`.

Results are immutable, so a word about one stands beside it: trial -> `mark` and `note`. A tuned
study shares its trials with the one that it was tuned for, and so its marks.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.errors import UserError
from ablate.store.disk import replace_file, telling_disk_errors
from ablate.store.folders import trial_folders
from ablate.store.imported import is_imported, read_imported
from ablate.store.plan import locked
from ablate.store.record import Damaged, trial_row

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
        UserError: A trial is not there, or has failed already, or the note is empty.
    """
    note = " ".join(note.split())
    if not note:
        raise UserError('Say why, for whoever reads the report: --note "samples are one blob".')
    statuses = _statuses(folder)
    _refuse_unknown(folder, trials, list(statuses))
    failed = [trial for trial in trials if statuses[trial] != "done"]
    if failed:
        raise UserError(
            f"Trial {failed[0]} ended as {statuses[failed[0]]} and counts as failed; only trials "
            "that are done can be marked."
        )
    _change(folder, {trial: {"mark": word, "note": note} for trial in trials})


def unmark(folder: Path, trials: Sequence[str]) -> None:
    """Take back what was said of trials.

    Raises:
        UserError: Nothing was said of one.
    """
    _refuse_unknown(folder, trials, list(_statuses(folder)))
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
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        marks = {str(trial): {k: str(said[k]) for k in ("mark", "note")}
                 for trial, said in found.items()}  # fmt: skip
    except FileNotFoundError:
        return {}
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{file} cannot be read ({error!r}); mend it, or delete it and mark its trials again."
        ) from error
    for trial, said in marks.items():
        if said["mark"] not in WORDS:
            raise UserError(
                f"{file} marks trial {trial} as {said['mark']!r}; write {' or '.join(WORDS)}."
            )
    return marks


def _statuses(folder: Path) -> dict[str, str]:
    """Return trial -> how it ended, whatever a person has said."""
    if is_imported(folder):
        table = read_imported(folder, "trials")
        return dict(zip(table["trial"], table["status"], strict=True))
    found = {}
    for one in trial_folders(folder):
        with suppress(Damaged):
            found[one.trial] = str(trial_row(one.path, one.study)["status"])
    return found


def _refuse_unknown(folder: Path, trials: Sequence[str], known: Sequence[str]) -> None:
    for trial in trials:
        if trial not in known:
            near = difflib.get_close_matches(trial, known, 3, cutoff=0.4) or list(known)[:3]
            raise UserError(f"There is no trial {trial!r} in {folder}; type one of {near}.")


def _change(folder: Path, said: Mapping[str, dict[str, str] | None]) -> None:
    """Write marks.json anew; None drops a mark."""
    file = _place(folder)
    with telling_disk_errors(folder), locked(file.parent, alone=True):
        marks = {trial: one for trial, one in (_parse(file) | dict(said)).items() if one}
        if marks:
            text = json.dumps(marks, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
            replace_file(file, text.encode())
        else:
            file.unlink(missing_ok=True)
