"""The plan on disk, written before training: plan.jsonl, one trial a line, and study.json."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.durable import make_folder
from ablate.errors import UserError
from ablate.plan.claim import other_plans, progress, take_plan
from ablate.seal import sealed, unsealed
from ablate.store.disk import replace_file, telling_disk_errors
from ablate.store.imported import is_imported
from ablate.store.plan import (
    PLAN,
    STUDY,
    TUNED,
    WRITTEN,
    hash_of,
    locked,
    parse,
    read_plan,
    read_study,
)
from ablate.trial import Trial

if TYPE_CHECKING:
    from ablate.plan.study import Plan

__all__ = [
    "ASIDE",
    "PLAN",
    "SEARCH",
    "STUDY",
    "TUNED",
    "book_of",
    "budgets",
    "drop_tuned",
    "ended",
    "is_finished",
    "is_over",
    "move_aside",
    "read_plan",
    "read_search",
    "remember",
    "require_study",
    "searches",
    "unfinished",
    "working_on",
    "write_plan",
]
SEARCH = "search.json"  # the plan of a search
ASIDE = "damaged"  # the folder of what was set aside
SEARCHED = "searched"  # in study.json, where there is such a plan


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
    # an id is a hash of all that a trial is, and there may be a million
    return [trial for trial in trials if trial.id not in there] if there else list(trials)


def is_over(folder: Path) -> bool:
    """Return whether nothing is searched in a folder, or no more."""
    return not (folder / SEARCH).is_file() or (folder / TUNED / STUDY).is_file()


def searches(folder: Path) -> dict[str, dict[str, Any]]:
    """Return title -> `key`, `metric`, `is_ratio` and `budget_images` of every arm's searches.

    Without a search there are none.

    Raises:
        UserError: `search.json` is lost, or is not what was written.
    """
    content = read_search(folder)
    if content is None:
        return {}
    metric, repeats = content["rules"]["metric"], len(content.get("repeats", [()]))
    return {
        titled(arm["trial"]["arm"], arm.get("repeat", 0), repeats): {**arm, "metric": metric}
        for arm in content["arms"]
    }


def titled(arm: str, repeat: int, repeats: int) -> str:
    """Return what a search is called beside those of the same arm; repeats are counted from 0."""
    return arm if repeats == 1 else f"{arm}, repeat {repeat + 1} of {repeats}"


def read_search(folder: Path) -> dict[str, Any] | None:
    """Return what `search.json` holds, None where nothing is searched.

    Raises:
        UserError: It is lost, is not what was written, or belongs to another study.
    """
    anew = "type the command of the sweep again, which writes it anew and keeps all results."
    if not folder.is_dir():
        return None
    try:
        with locked(folder):
            content, study = search_in(folder), read_study(folder)
        planned = study.get("plan_sha256")
        if content is not None and content.get("plan_sha256", planned) != planned:
            raise ValueError("it belongs to another plan")
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{folder / SEARCH} cannot be read ({error}); {anew}") from error
    if content is None and study.get(SEARCHED):
        raise UserError(f"{folder} has lost its {SEARCH}; {anew}")
    return content


def search_in(folder: Path) -> dict[str, Any] | None:
    """Return what `search.json` holds, None where there is none.

    Raises:
        ValueError: It is not what was written.
    """
    try:
        content = unsealed((folder / SEARCH).read_bytes())
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise ValueError("it is a folder") from error
    for key in ("rules", "seeds", "arms"):
        if not content.get(key):
            raise ValueError(f"it has no {key}")
    return content


def budgets(folder: Path) -> dict[str, int]:
    """Return the key of an arm's search -> its images, as far as an earlier plan can be read."""
    try:
        content = search_in(folder) or {"arms": []}
    except ValueError:
        return {}
    return {arm["key"]: arm["budget_images"] for arm in content["arms"]}


def move_aside(folder: Path, path: Path) -> Path:
    """Move what is damaged to where no reader looks; earlier ones stay there."""
    aside = folder / ASIDE
    make_folder(aside)
    n = 1 + len(list(aside.glob(f"{path.stem}.*")))
    return path.rename(aside / f"{path.stem}.{n}{path.suffix}")


def drop_tuned(folder: Path) -> None:
    """Remove the plan that follows a search; its results stay, and it is told anew from books."""
    for name in (STUDY, PLAN, "trials"):
        path = folder / TUNED / name
        if path.is_dir() and not path.is_symlink():  # not by us: a copy that followed the link
            move_aside(folder, path)
        else:
            path.unlink(missing_ok=True)


def write_search(folder: Path, content: Mapping[str, Any] | None) -> None:
    """Write the plan of a search, or take an earlier one away; more trials go on from fewer."""
    path, text = folder / SEARCH, None if content is None else sealed(content)
    if path.is_file() and path.read_bytes() == text:
        return
    drop_tuned(folder)  # the best may be others now
    if path.is_dir():  # not by us
        move_aside(folder, path)
    if text is None:
        path.unlink(missing_ok=True)
    else:
        replace_file(path, text)
