"""How other programs say that a run has ended, and how each is counted here."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ablate.importer.cells import filled, stripped, words
from ablate.importer.columns import nearest
from ablate.store.schema import STATUSES

PENDING = "pending"  # has not ended: left out, as a planned trial of ours is that has not
# Weights & Biases, MLflow, Optuna, Slurm (sacct), Ray Tune, and what people write.
WORDS = {
    "done": "done finished complete completed success succeeded successful terminated ok cd",
    "crashed": "crashed crash failed fail failure error errored out_of_memory oom exception f",
    "killed": "killed kill cancelled canceled ca timeout to timed_out preempted pr node_fail nf "
    "boot_fail deadline stopped interrupted aborted revoked",
    "diverged": "diverged nan inf exploded",
    "collapsed": "collapsed collapse mode_collapse",
    "pruned": "pruned early_stopped",
}
UNENDED = {
    "running", "pending", "waiting", "queued", "scheduled", "preempting", "suspended", "requeued",
    "paused", "starting", "r", "pd",
}  # fmt: skip
MEANING = {word: status for status, words in WORDS.items() for word in words.split()}


def read_statuses(
    frame: pd.DataFrame, typed: Mapping[str, str], problems: list[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return `frame` with its `status` in our words, and their words that are others than ours.

    A run that has not ended has no result: it is refused, unless a word is typed for it. Rows that
    are then `PENDING` are still there, so that what is told of a row counts all.

    Args:
        frame: Under our names; without a column `status` nothing is changed.
        typed: Their word -> ours.
        problems: Gets one sentence for each word that is not clear.
    """
    if "status" not in frame:
        problems += [
            f"--status {word}={ours}: the table has no column 'status'; type --column "
            "status=COLUMN as well."
            for word, ours in typed.items()
        ]
        return frame, {}
    theirs = filled(frame["status"], "")
    asked = {stripped(word).casefold(): ours for word, ours in typed.items()}
    seen = [word for word in theirs.unique() if word]
    problems += _not_ours(typed, seen)
    asked.pop("", None)  # for trials that tell none: `trials.with_status`
    found = {word: asked.get(word.casefold()) or _ours(word) for word in seen}
    for word, ours in found.items():
        if ours is None or (ours == PENDING and word.casefold() not in asked):
            problems.append(_unclear(word, int((theirs == word).sum()), ours))
    read = {word: ours for word, ours in found.items() if ours and word != ours}
    return frame.assign(status=theirs.map(found).astype("object").fillna("")), read


def told_statuses(theirs: pd.Series, read: Mapping[str, str], trials: np.ndarray) -> str:
    """Return how each word was read, and for how many trials; "" where all were ours.

    Args:
        theirs: The column as the file has it.
        read: As `read_statuses` gives it.
        trials: `[N]`, the trial of each row.
    """
    counts = words(theirs).groupby(trials).first().value_counts()
    told = ", ".join(
        f"{word} is {'left out' if ours == PENDING else ours} ({counts.get(word, 0)})"
        for word, ours in sorted(read.items())
    )
    return f"Status: {told}." if told else ""


def _ours(word: str) -> str | None:
    plain = word.casefold().replace(" ", "_").replace("-", "_").strip("+_")
    if plain.startswith("cancelled_by"):  # Slurm names who did it
        return "killed"
    return PENDING if plain in UNENDED else MEANING.get(plain)


def _not_ours(typed: Mapping[str, str], words: list[str]) -> list[str]:
    known = [*STATUSES, PENDING]
    there = {word.casefold() for word in words}
    return [
        f"--status {word}={ours}: {ours!r} is none; {nearest(ours, known)}."
        for word, ours in typed.items()
        if ours not in known
    ] + [
        f"--status {word}={ours}: no row has the status {word!r}"
        + (f"; {nearest(word, words)}." if words else ", as the column is empty.")
        for word, ours in typed.items()
        if word and stripped(word).casefold() not in there
    ]


def _unclear(word: str, count: int, ours: str | None) -> str:
    rows = f"{count} row{'' if count == 1 else 's'}"
    if ours == PENDING:
        return (
            f"status {word!r} ({rows}) has not ended and has no result yet; type --status "
            f"{word}=killed if it never will (it counts as failed), or --status {word}={PENDING} "
            "to leave it out."
        )
    near = nearest(word, list(STATUSES))
    guess = f"{near}? If not, " if near.startswith("did") else ""
    return (
        f"status {word!r} ({rows}) is none; {guess}type --status {word}=STATUS with one of "
        f"{', '.join(STATUSES)}, or --ignore the column if it tells no status."
    )
