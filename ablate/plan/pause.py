"""Arms that crash again and again are paused; the study goes on.

Whether an arm is paused is read from its results, so every worker, now or after a restart, finds
the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any

from ablate.screen.letters import tied
from ablate.store.layout import ended
from ablate.store.record import Damaged, read_status
from ablate.trial import Trial

CRASHES = 3  # of one arm in a row
FAILURES = ("crashed", "killed")


def status_of(folder: Path, trial: Trial) -> dict[str, Any]:
    """Return the status of a finished trial.

    Raises:
        Damaged: It is not there, or is not what was written.
    """
    return read_status(folder / "trials" / trial.id)


def by_arm(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Return arm -> its trials, both in the plan's order."""
    found: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        found[trial.arm].append(trial)
    return dict(found)


def crashes(folder: Path, trials: Sequence[Trial], there: Container[str]) -> dict[str, Any] | None:
    """Return the last status of an arm that is paused, None of one that is not.

    It is paused when its last CRASHES finished trials, in the plan's order, have all crashed.

    Args:
        folder: The results folder.
        trials: Of the arm.
        there: Trials that have ended.
    """
    last: list[dict[str, Any]] = []
    for trial in reversed(trials):
        if trial.id not in there:
            continue
        try:
            status = status_of(folder, trial)
        except Damaged:
            continue  # moved aside by `ablate retry` since our look, or damaged
        if status["status"] not in FAILURES:
            return None
        last.append(status)
        if len(last) == CRASHES:
            return last[0]
    return None


def paused(folder: Path, trials: Sequence[Trial]) -> dict[str, dict[str, Any]]:
    """Return arm -> its last status, of the arms that are paused."""
    there = ended(folder)
    found = {arm: crashes(folder, of_arm, there) for arm, of_arm in by_arm(trials).items()}
    return {arm: status for arm, status in found.items() if status is not None}


def sentence(arm: str, status: dict[str, Any], folder: Path) -> str:
    """Return what a person is told about a paused arm."""
    return (
        f"paused: {arm} ({CRASHES} crashes in a row: {status['reason']}); "
        + tied(f"ablate retry {folder} --status {status['status']}")
        + " to go on"
    )
