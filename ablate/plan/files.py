"""The plan on disk, written before training: plan.jsonl, one trial a line, and study.json."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.durable import make_folder
from ablate.errors import UserError
from ablate.plan.claim import progress
from ablate.store.disk import replace_file, telling_disk_errors
from ablate.store.imported import is_imported
from ablate.store.plan import PLAN, STUDY, TUNED, hash_of, locked, parse, read_plan, read_study
from ablate.trial import Trial

if TYPE_CHECKING:
    from ablate.plan.study import Plan

__all__ = [
    "PLAN",
    "SEARCH",
    "STUDY",
    "TUNED",
    "ended",
    "is_finished",
    "is_over",
    "read_plan",
    "require_study",
    "searches",
    "unfinished",
    "write_plan",
    "write_search",
]
SEARCH = "search.json"  # the plan of a search


def require_study(folder: Path) -> None:
    """Refuse a folder that no study was written to.

    Raises:
        UserError: The sentence says what it is instead.
    """
    if (folder / PLAN).is_file():
        return
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; name one that `ablate sweep` wrote to.")
    if is_imported(folder):
        raise UserError(
            f"{folder} holds an imported table, of which nothing is left to train; type ablate "
            f"compare {folder} for its arms."
        )
    raise UserError(f"{folder} holds no study; name the folder that `ablate sweep` wrote to.")


def write_plan(folder: Path, plan: Plan, related: Collection[str] = ()) -> str | None:
    """Write a plan into its results folder; the same study gives the same bytes.

    Args:
        folder: The results folder.
        plan: The study.
        related: Trials there that are those of the plan but for their code.

    Returns:
        What a person should know of the results of an earlier plan, None where there is nothing.

    Raises:
        UserError: The folder holds another study, or cannot be written.
    """
    content = "".join(f"{trial.to_json()}\n" for trial in plan.trials).encode()
    summary = {**plan.summary(), "plan_sha256": hash_of(content)}
    study = json.dumps(summary, indent=1, sort_keys=True) + "\n"
    with telling_disk_errors(folder):
        make_folder(folder)
        with locked(folder, alone=True):
            changes = against_earlier(folder, plan, related), restacked(folder, plan)
            if read_study(folder).get("plan_sha256") != summary["plan_sha256"]:
                (folder / STUDY).unlink(missing_ok=True)  # it would accuse the new plan if we died
            replace_file(folder / PLAN, content)
            replace_file(folder / STUDY, study.encode())
    return " ".join(filter(None, changes)) or None


def restacked(folder: Path, plan: Plan) -> str | None:
    """Return a sentence where earlier results were trained in stacks that were declared otherwise.

    In float32 the last digits depend on it (docs/adr/0011); earlier studies did not write it down.
    """
    before, trained = read_study(folder), ended(folder) & {trial.id for trial in plan.trials}
    if not trained or before.get("stack", plan.stack) == plan.stack:
        return None
    was, now = (json.dumps(stack) for stack in (before["stack"], plan.stack))
    return (
        f"{len(trained)} trials of this plan were trained with study.stack={was}, what is left "
        f"will be with study.stack={now}: in float32 that changes the last digits."
    )


def against_earlier(folder: Path, plan: Plan, related: Collection[str] = ()) -> str | None:
    """Return what a new plan leaves out of the results of the one in the folder.

    A trial is its content, so what is in both plans is trained once. What is only in the earlier
    one stays on the disk, and tables leave it out: they show the plan that lies in the folder.

    Raises:
        UserError: The folder belongs to another study, or to another one's workers at this moment.
    """
    if not (folder / PLAN).is_file():
        return None
    earlier, there = parse(folder), ended(folder)
    ids = {trial.id for trial in plan.trials}
    strangers = [trial for trial in earlier if trial.id not in ids]
    trained = [trial for trial in strangers if trial.id in there and trial.id not in related]
    at_work = set(progress(folder)) & {trial.id for trial in strangers}
    instead = f"Type out=results/NAME for this one, or delete {folder}."
    if at_work:
        raise UserError(
            f"{folder} holds a plan whose trials are being trained right now, {len(at_work)} of "
            "which are not in this one; wait for their end, or type out=results/NAME for this one."
        )
    if trained and not related and not ids & (there | {trial.id for trial in earlier}):
        raise UserError(
            f"{folder} holds another study: {len(strangers)} of its trials are not in this one. "
            f"{instead}"
        )
    refuse_afterthoughts(folder, plan, len(there & ids))
    if not trained:
        return None
    arms = ", ".join(dict.fromkeys(trial.arm for trial in trained))
    return (
        f"The plan has changed: {len(there & ids)} trials of earlier plans are in it and are not "
        f"trained again; {len(trained)} are not ({arms}), and tables leave them out."
    )


def refuse_afterthoughts(folder: Path, plan: Plan, trained: int) -> None:
    """Refuse to declare an analysis anew when results are there to be looked at.

    Raises:
        UserError: It differs from what was declared; the sentence says from what.
    """
    before = read_study(folder).get("analysis")
    if before is None or before == plan.analysis or not trained:
        return
    was = " ".join(
        f"study.analysis.{key}={json.dumps(before.get(key), separators=(',', ':'))}"
        for key in plan.analysis
        if before.get(key) != plan.analysis[key]
    )
    raise UserError(
        f"{folder} holds {trained} results, trained after {was} had been declared; type it so, or "
        "out=results/NAME for a study that declares something else."
    )


def is_finished(folder: Path, trial: Trial) -> bool:
    """Return whether a trial's results are there, whatever its status."""
    return (folder / "trials" / trial.id).is_dir()


def ended(folder: Path) -> set[str]:
    """Return the ids of all trials that have results, in one look at the disk."""
    try:
        return {name for name in os.listdir(folder / "trials") if name[0] != "."}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def unfinished(folder: Path, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that have no results yet."""
    there = ended(folder)
    return [trial for trial in trials if trial.id not in there]


def is_over(folder: Path) -> bool:
    """Return whether nothing is searched in a folder, or no more."""
    return not (folder / SEARCH).is_file() or (folder / TUNED / STUDY).is_file()


def searches(folder: Path) -> dict[str, dict[str, Any]]:
    """Return arm -> `key`, `metric`, `is_ratio` and `budget_images` of its search.

    Without a search there are none.
    """
    try:
        content = json.loads((folder / SEARCH).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    metric = content["rules"]["metric"]
    return {arm["trial"]["arm"]: {**arm, "metric": metric} for arm in content["arms"]}


def write_search(folder: Path, content: Mapping[str, Any] | None) -> None:
    """Write the plan of a search, or take an earlier one away; more trials go on from fewer."""
    path, text = folder / SEARCH, json.dumps(content, indent=1, sort_keys=True) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    for name in (STUDY, PLAN):
        (folder / TUNED / name).unlink(missing_ok=True)  # the best may be others now
    if content is None:
        path.unlink(missing_ok=True)
    else:
        replace_file(path, text.encode())
