"""The plan on disk, written before training: plan.jsonl, one trial a line, and study.json."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.disk import make_folder, replace_file, sealed, telling_disk_errors
from ablate.errors import UserError
from ablate.store.claims import other_plans, progress, take_plan
from ablate.store.imported import is_imported
from ablate.store.plan import PLAN, STUDY, TUNED, WRITTEN, hash_of, locked, parse, read_study
from ablate.trial import Trial

if TYPE_CHECKING:
    from ablate.plan.study import Plan
from ablate.plan.search_file import SEARCH, SEARCHED, write_search
from ablate.store.layout import ended


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


def write_plan(
    folder: Path,
    plan: Plan,
    related: Collection[str] = (),
    search: Mapping[str, Any] | None = None,
) -> str | None:
    """Write a plan into its results folder; the same study gives the same bytes.

    Args:
        folder: The results folder.
        plan: The study.
        related: Trials there that are those of the plan but for their code.
        search: What is searched before, None for nothing.

    Returns:
        What a person should know of the results of an earlier plan, None where there is nothing.

    Raises:
        UserError: The folder holds another study, or cannot be written.
    """
    content = content_of(plan)
    summary = {**plan.summary(), "plan_sha256": hash_of(content)}
    if search is not None:
        summary[SEARCHED] = True
    with telling_disk_errors(folder):
        make_folder(folder)
        with locked(folder, alone=True):
            changes = against_earlier(folder, plan, related), restacked(folder, plan)
            if read_study(folder).get("plan_sha256") != summary["plan_sha256"]:
                (folder / STUDY).unlink(missing_ok=True)  # it would accuse the new plan if we died
            search = search and {**search, "plan_sha256": summary["plan_sha256"]}
            if written := still_written(folder, search):
                summary[WRITTEN] = written
            replace_file(folder / PLAN, content)
            replace_file(folder / STUDY, sealed(summary))
            write_search(folder, search)
    return " ".join(filter(None, changes)) or None


def still_written(folder: Path, search: Mapping[str, Any] | None) -> list[str]:
    """Return what an earlier start of a search has written and the next one builds on."""
    if search is None:
        return []
    books = {book_of(arm["key"]) for arm in search["arms"]}
    path = folder / SEARCH
    is_same = path.is_file() and path.read_bytes() == sealed(search)
    before = read_study(folder).get(WRITTEN, [])
    return [name for name in before if name in books or (name == TUNED and is_same)]


def book_of(key: str) -> str:
    """Return where in a results folder the book of a search lies."""
    return f"search/{key}.json"


def remember(folder: Path, names: Collection[str], *, only: bool = False) -> None:
    """Write down what a search has written, so that its loss is seen; the lock is held.

    Args:
        folder: The results folder.
        names: Of files and folders in it.
        only: Whether what was written down before is forgotten.
    """
    study = read_study(folder)
    before = study.pop(WRITTEN, [])
    written = sorted({*names, *(() if only else before)})
    if study and written != before:
        more = {WRITTEN: written} if written else {}
        replace_file(folder / STUDY, sealed({**study, **more}))


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


@contextmanager
def working_on(folder: Path, plan: Plan) -> Iterator[None]:
    """Let others know, for as long as we are here, that this is the plan that we work on.

    Raises:
        UserError: This process works on it already.
    """
    claim = take_plan(folder, key_of(plan))
    try:
        yield
    finally:
        claim.release()


def key_of(plan: Plan) -> str:
    """Return what tells a plan from others."""
    return hash_of(content_of(plan))[:16]


def content_of(plan: Plan) -> bytes:
    """Return the content of plan.jsonl."""
    return "".join(f"{trial.to_json()}\n" for trial in plan.trials).encode()


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
    at_work = set(progress(folder, sure=True)) & {trial.id for trial in strangers}
    instead = f"Type out=results/NAME for this one, or delete {folder}."
    others = other_plans(folder, key_of(plan))
    if others and any(trial.id not in there for trial in strangers):
        raise UserError(
            f"Somebody else ({others[0]}) works on another study in {folder} right now; wait for "
            "its end, or type out=results/NAME for this one."
        )
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


def unfinished(folder: Path, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that have no results yet."""
    there = ended(folder)
    # an id is a hash of all that a trial is, and there may be a million
    return [trial for trial in trials if trial.id not in there] if there else list(trials)
