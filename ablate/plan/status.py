"""How a study stands: read from its files alone, whoever runs it and wherever."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ablate.errors import UserError
from ablate.plan.claim import living
from ablate.plan.files import PLAN, STUDY, TUNED, ended, read_plan, searches
from ablate.plan.pause import by_arm, paused, sentence, status_of
from ablate.search.book import read_book
from ablate.trial import Trial

PAPER = 160  # columns where output goes to a file


@dataclass
class Standing:
    """How an arm stands.

    Attributes:
        statuses: Status -> trials that have ended so.
        running: Trials that a living worker has.
        waiting: Trials that nobody has.
        wall_seconds: Of all ended trials; those of a stack overlap.
        device_seconds: Of all ended trials.
        images: Shown to D so far.
        left: Images still to be shown.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    running: int = 0
    waiting: int = 0
    wall_seconds: float = 0.0
    device_seconds: float = 0.0
    images: int = 0
    left: int = 0

    @property
    def failed(self) -> Counter[str]:
        """Status -> trials, without those that are done."""
        return Counter({status: n for status, n in self.statuses.items() if status != "done"})


def print_status(folder: Path, console: Console) -> None:
    """Print how a study stands.

    Raises:
        UserError: There is no study in the folder.
    """
    if not (folder / PLAN).is_file():
        raise UserError(f"{folder} holds no study; name the folder that `ablate sweep` wrote to.")
    if not console.is_terminal:
        console.width = PAPER
    trials, held = read_plan(folder), living(folder)
    study = json.loads((folder / STUDY).read_text())
    standings = standings_of(folder, trials, held, study["images"])
    resting = paused(folder, trials)
    console.print(table_of(standings, study, resting))
    for planned in study["arms"]:
        if planned["refused"]:
            why = " ".join(planned["refused"])
            console.print(f"n/a: {planned['arm']}: {why}", markup=False, highlight=False)
    for arm in resting:
        if standings[arm].waiting:
            console.print(sentence(arm, resting[arm], folder), markup=False, highlight=False)
    for line in search_lines(folder):
        console.print(line, markup=False, highlight=False)
    active = [standing for arm, standing in standings.items() if arm not in resting]
    for line in summary(list(standings.values()), active, held):
        console.print(line, highlight=False)


def standings_of(
    folder: Path, trials: Sequence[Trial], held: Mapping[str, Mapping[str, Any]], images: int
) -> dict[str, Standing]:
    """Return arm -> how it stands.

    Args:
        folder: The results folder.
        trials: The plan.
        held: Trial -> what its worker tells.
        images: Of one trial.
    """
    there = ended(folder)
    found = {arm: Standing() for arm in by_arm(trials)}
    for trial in trials:
        standing, status = found[trial.arm], None
        if trial.id in there:
            status = read(folder, trial)
        if status is not None:
            standing.statuses[status["status"]] += 1
            standing.wall_seconds += status["wall_seconds"]
            standing.device_seconds += status["device_seconds"]
            standing.images += status["images"]
            continue
        shown = int(held.get(trial.id, {}).get("images", 0))
        standing.images += shown
        standing.left += max(0, images - shown)
        standing.running += trial.id in held
        standing.waiting += trial.id not in held
    return found


def read(folder: Path, trial: Trial) -> dict[str, Any] | None:
    """Return the status of a trial, None where `ablate retry` has just moved it."""
    try:
        return status_of(folder, trial)
    except FileNotFoundError:
        return None


def table_of(
    standings: Mapping[str, Standing],
    study: Mapping[str, Any],
    resting: Mapping[str, Any],
) -> Table:
    """Return the arms that can be trained as a table."""
    table = Table(box=None, padding=(0, 2), header_style="bold")
    table.add_column("arm")
    for name in ("done", "running", "waiting"):
        table.add_column(name, justify="right")
    table.add_column("failed")
    table.add_column("device time", justify="right")
    for planned in study["arms"]:
        arm = planned["arm"]
        if arm not in standings:
            continue
        one = standings[arm]
        failed = ", ".join(f"{n} {status}" for status, n in sorted(one.failed.items()))
        waiting = f"{one.waiting}{' paused' if one.waiting and arm in resting else ''}"
        seconds = duration(one.device_seconds)
        table.add_row(arm, str(one.statuses["done"]), str(one.running), waiting, failed, seconds)
    return table


def summary(
    standings: Sequence[Standing],
    active: Sequence[Standing],
    held: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Return how far the study is, when it ends, and what it has cost."""
    ended_ones = sum(one.statuses.total() for one in standings)
    running = sum(one.running for one in standings)
    total = ended_ones + running + sum(one.waiting for one in standings)
    workers = len({(about.get("host"), about.get("pid")) for about in held.values()})
    shown = sum(one.images for one in standings)
    wall = duration(sum(one.wall_seconds for one in standings))
    device = duration(sum(one.device_seconds for one in standings))
    return [
        f"{ended_ones} of {total} trials ended, {running} running on {workers} "
        f"worker{'' if workers == 1 else 's'}. {time_left(standings, active, workers)}",
        f"Cost so far: {device} of device time, {wall} of wall time over all trials, "
        f"{shown:,} images shown to D.",
    ]


def time_left(standings: Sequence[Standing], active: Sequence[Standing], workers: int) -> str:
    """Return when the study ends, at the pace of the trials that have ended."""
    left = sum(one.left for one in active)
    if not left:
        return "Nothing is left to train."
    seconds = sum(one.device_seconds for one in standings)
    shown = sum(one.images for one in standings if one.device_seconds)
    if not shown:
        return "How long the rest takes is known when the first trial has ended."
    rest = duration(left * seconds / shown / max(1, workers))
    if not workers:
        return f"No worker is on it; one would need {rest}."
    return f"About {rest} left."


def duration(seconds: float) -> str:
    """Return seconds as a person says them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def search_lines(folder: Path) -> list[str]:
    """Return how far the searches are, and where the table that follows them is."""
    lines = []
    for arm, search in searches(folder).items():
        book = read_book(folder / "search" / f"{search['key']}.json")
        told = [c for c in book.candidates if c.state]
        counts = Counter("refused" if c.refused else c.state.lower() for c in told)
        words = ", ".join(f"{n} {state}" for state, n in counts.most_common()) or "no setting yet"
        share = book.images / search["budget_images"]
        lines.append(f"search, {arm}: {words}; {share:.0%} of {search['budget_images']:,} images")
    if (folder / TUNED / STUDY).is_file():
        lines.append(f"The search is over; ablate status {folder / TUNED} tells of the tuned arms.")
    return lines
