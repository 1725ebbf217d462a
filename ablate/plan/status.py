"""How a study stands: read from its files alone, whoever runs it and wherever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from ablate.errors import UserError
from ablate.plan.files import require_study
from ablate.plan.mend import damage
from ablate.plan.pause import by_arm, paused, sentence
from ablate.plan.search_file import is_over
from ablate.plan.tries import Tries, read_tries
from ablate.screen.duration import about, lasted
from ablate.screen.grid import draw
from ablate.screen.letters import counted, say
from ablate.search.mirror import told_of_mirror
from ablate.store.claims import dead, living, off
from ablate.store.layout import ended
from ablate.store.plan import REMEDY, STUDY, TUNED, read_plan, read_study, require_whole
from ablate.store.record import Damaged, read_status, told
from ablate.trial import Trial


@dataclass
class Standing:
    """How an arm stands.

    Attributes:
        statuses: Status -> trials that have ended so.
        running: Trials that a living worker has.
        waiting: Trials that nobody has.
        device_seconds: Of its trials so far, those that have not ended included.
        images: Shown to D so far.
        left: Images still to be shown.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    running: int = 0
    waiting: int = 0
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
        UserError: There is no study in the folder, or it cannot be read.
    """
    require_study(folder)
    require_whole(folder)
    study, trials = read_study(folder), read_plan(folder)
    if not {"arms", "images"} <= study.keys():
        raise UserError(f"{folder / STUDY} cannot be read: it is no study. {REMEDY}")
    held, gone = living(folder), dead(folder)
    broken = damage(folder, [trial.id for trial in trials])
    standings = standings_of(folder, trials, held, gone, study["images"], broken)
    resting = paused(folder, trials)
    draw(lines_of(standings, study, resting), console, wraps=(0, 4), right=(1, 2, 3, 5))
    for planned in study["arms"]:
        if planned["refused"]:
            say(f"n/a: {planned['arm']}: {' '.join(planned['refused'])}")
    for arm in resting:
        if standings[arm].waiting:
            say(sentence(arm, resting[arm], folder))
    searched = read_tries(folder)
    lines = search_lines(folder, searched, held, study["images"])
    further = [*absent(trials, gone), off(folder), told(broken), told_of_mirror(folder)]
    for line in filter(None, [*lines, *further]):
        say(line)
    active = [standing for arm, standing in standings.items() if arm not in resting]
    search = standing_of_search(folder, searched, held | gone, study["images"])
    for line in summary(list(standings.values()), active, search, held):
        say(line)


def standings_of(
    folder: Path,
    trials: Sequence[Trial],
    held: Mapping[str, Mapping[str, Any]],
    gone: Mapping[str, Mapping[str, Any]],
    images: int,
    broken: Collection[str] = (),
) -> dict[str, Standing]:
    """Return arm -> how it stands.

    Args:
        folder: The results folder.
        trials: The plan.
        held: Trial -> what its worker tells.
        gone: Trial -> what a worker told that is gone.
        images: Of one trial.
        broken: Damaged trials, which wait to be trained again.
    """
    there = ended(folder) - set(broken)
    found = {arm: Standing() for arm in by_arm(trials)}
    for trial in trials:
        standing, status = found[trial.arm], None
        if trial.id in there:
            status = read(folder, trial.id)
        told = held.get(trial.id) or gone.get(trial.id) or {}
        if status is not None:
            standing.statuses[status["status"]] += 1
            standing.device_seconds += status["device_seconds"] or 0.0
            standing.images += status["images"]
            continue
        shown = int(told.get("images", 0))
        standing.device_seconds += float(told.get("seconds", 0.0))
        standing.images += shown
        standing.left += max(0, images - shown)
        standing.running += trial.id in held
        standing.waiting += trial.id not in held
    return found


def read(folder: Path, trial: str) -> Mapping[str, Any] | None:
    """Return the status of a trial, None where it is damaged or was just moved."""
    try:
        return read_status(folder / "trials" / trial)
    except Damaged:
        return None


def lines_of(
    standings: Mapping[str, Standing], study: Mapping[str, Any], resting: Collection[str]
) -> list[list[str]]:
    """Return headings and rows of the arms that can be trained."""
    lines = [["arm", "done", "running", "waiting", "failed", "device time"]]
    for arm in (planned["arm"] for planned in study["arms"]):
        if arm not in standings:
            continue
        one = standings[arm]
        failed = ", ".join(f"{n} {status}" for status, n in sorted(one.failed.items()))
        waiting = f"{one.waiting}{' paused' if one.waiting and arm in resting else ''}"
        done, running = str(one.statuses["done"]), str(one.running)
        lines.append([arm, done, running, waiting, failed, lasted(one.device_seconds)])
    return lines


def absent(trials: Sequence[Trial], gone: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a sentence on every worker that has left trials of the plan behind."""
    behind: dict[tuple[str, int], list[str]] = {}
    silent: dict[tuple[str, int], float] = {}
    for trial in trials:
        if trial.id not in gone:
            continue
        told = gone[trial.id]
        who = told.get("host", "an unknown machine"), told.get("pid", 0)
        behind.setdefault(who, []).append(f"{trial.arm} seed {trial.seed}")
        silent[who] = told["silent"]
    return [
        f"A worker on {host} is gone, {since(silent[host, pid])}; what it trained goes on at the "
        f"last checkpoint when the sweep does: {'; '.join(names)}."
        for (host, pid), names in behind.items()
    ]


def since(silent: float) -> str:
    """Return when a worker was last heard of; another clock may have put that into the future."""
    if silent < 0:
        return f"its last sign of life is dated {lasted(-silent)} ahead of this machine's clock"
    return f"last heard of {lasted(silent)} ago"


def standing_of_search(
    folder: Path,
    searched: Sequence[Tries],
    told: Mapping[str, Mapping[str, Any]],
    images: int,
) -> Standing:
    """Return what the searches of all arms have cost, and what is left of them and behind them.

    Args:
        folder: The results folder.
        searched: One an arm.
        told: Trial -> what its worker tells.
        images: Of one trial.
    """
    found, there = Standing(), ended(folder)
    for tries in searched:
        spent = tries.images(shown_of(told), there, images)
        found.images += spent
        found.left += tries.search["budget_images"] - spent
        for trial in tries.trials:
            about = told.get(trial, {})
            status = (read(folder, trial) if trial in there else None) or {}
            found.device_seconds += status.get("device_seconds", about.get("seconds")) or 0.0
    if is_over(folder):
        found.left = 0  # what follows the search is a study of its own by now
    else:
        found.left += images * sum(len(tries.search["seeds"]) for tries in searched)
    return found


def shown_of(told: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return trial -> images shown so far."""
    return {trial: int(about.get("images", 0)) for trial, about in told.items()}


def summary(
    standings: Sequence[Standing],
    active: Sequence[Standing],
    search: Standing,
    held: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Return how far the study is, when it ends, and what it has cost."""
    ended_ones = sum(one.statuses.total() for one in standings)
    total = ended_ones + sum(one.running + one.waiting for one in standings)
    workers = len({(about.get("host"), about.get("pid")) for about in held.values()})
    everything = [*standings, search]
    shown = sum(one.images for one in everything)
    device = lasted(sum(one.device_seconds for one in everything))
    at_work = f", {len(held)} running on {counted(workers, 'worker')}" if held else ""
    included = ", its search included" if search.images else ""
    return [
        f"{ended_ones:,} of {counted(total, 'trial')} ended{at_work}. "
        + time_left(everything, [*active, search], workers),
        f"Cost so far{included}: {device} of device time, {shown:,} images shown to D.",
    ]


def time_left(standings: Sequence[Standing], active: Sequence[Standing], workers: int) -> str:
    """Return when the study ends, at the pace of the trials so far."""
    left = sum(one.left for one in active)
    if not left:
        return "Nothing is left to train."
    seconds = sum(one.device_seconds for one in standings)
    shown = sum(one.images for one in standings if one.device_seconds)
    if not shown:
        return "How long the rest takes is known when the first trial has begun."
    rest = about(left * seconds / shown / max(1, workers))
    if not workers:
        return f"No worker is on it; one would need about {rest}."
    return f"About {rest} left."


def search_lines(
    folder: Path,
    searched: Sequence[Tries],
    held: Mapping[str, Mapping[str, Any]],
    images: int,
) -> list[str]:
    """Return how far the searches are, and where the table that follows them is.

    Args:
        folder: The results folder.
        searched: One an arm.
        held: Trial -> what its worker tells.
        images: Of one trial.
    """
    there, shown = ended(folder), shown_of(held)
    lines = [tries.summary(held, tries.images(shown, there, images)) for tries in searched]
    if (folder / TUNED / STUDY).is_file():
        lines.append(f"The search is over; ablate status {folder / TUNED} tells of the tuned arms.")
    return lines
