"""The plan on disk, written before training: plan.jsonl, one trial a line, and study.json."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import UserError
from ablate.process import mark
from ablate.store.disk import sync_folder, telling_disk_errors, write_durable
from ablate.trial import Trial

if TYPE_CHECKING:
    from ablate.plan.study import Plan

PLAN, STUDY = "plan.jsonl", "study.json"


def write_plan(folder: Path, plan: Plan) -> None:
    """Write a plan into its results folder; the same study gives the same bytes.

    Raises:
        UserError: The folder holds another study, or cannot be written.
    """
    with telling_disk_errors(folder):
        refuse_another(folder, plan)
        folder.mkdir(parents=True, exist_ok=True)
        study = json.dumps(plan.summary(), indent=1, sort_keys=True) + "\n"
        replace_file(folder / STUDY, study)
        replace_file(folder / PLAN, "".join(f"{t.to_json()}\n" for t in plan.trials))


def refuse_another(folder: Path, plan: Plan) -> None:
    """Refuse a folder with trials that are not in the plan; more seeds or arms may join.

    Raises:
        UserError: The folder belongs to another study.
    """
    if not (folder / PLAN).is_file():
        return
    strangers = {t.id for t in read_plan(folder)} - {t.id for t in plan.trials}
    if strangers:
        raise UserError(
            f"{folder} holds another study: {len(strangers)} of its trials are not in this one. "
            f"Type out=results/NAME for this one, or delete {folder}."
        )


def replace_file(path: Path, text: str) -> None:
    """Write a file beside its place and swap it in: readers see the old one or the new one.

    The name beside is this process's own, as two people may start one study at once.
    """
    beside = path.with_name(f".{path.name}{mark()}")
    write_durable(beside, text.encode())
    beside.replace(path)
    sync_folder(path.parent)


def read_plan(folder: Path) -> list[Trial]:
    """Return the planned trials.

    Raises:
        UserError: The file is not what `write_plan` wrote.
    """
    try:
        lines = (folder / PLAN).read_text(encoding="utf-8").splitlines()
        return [Trial.from_json(line) for line in lines]
    except (OSError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / PLAN} cannot be read ({error!r}); delete it and start the sweep again, "
            "which keeps all results."
        ) from error


def is_finished(folder: Path, trial: Trial) -> bool:
    """Return whether a trial's results are there, whatever its status."""
    return (folder / "trials" / trial.id).is_dir()


def ended(folder: Path) -> set[str]:
    """Return the ids of all trials that have results, in one look at the disk."""
    try:
        return {name for name in os.listdir(folder / "trials") if name[0] != "."}
    except FileNotFoundError:
        return set()


def unfinished(folder: Path, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that have no results yet."""
    there = ended(folder)
    return [trial for trial in trials if trial.id not in there]
