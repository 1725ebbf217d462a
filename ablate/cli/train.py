"""`ablate train`: trials, from their configs to their folders, one alone or several as a stack."""

from __future__ import annotations

import io
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.config.tree import join_sources, resolved, trial_of
from ablate.data import Dataset
from ablate.errors import UserError
from ablate.plan.kin import RECORDED, check_code, kin_of, told
from ablate.plan.mend import mend_trials
from ablate.runner.build import check, structure
from ablate.runner.context import Bench
from ablate.runner.inputs import dataset_of, prepare
from ablate.runner.interrupt import Interrupt, asked_here
from ablate.runner.machine import Machine, check_writable, machine
from ablate.runner.orphan import at_work
from ablate.runner.progress import number, shower
from ablate.runner.provenance import provenance
from ablate.runner.stack import run
from ablate.screen.duration import lasted
from ablate.screen.letters import TIED, say, tied
from ablate.secrets import hidden
from ablate.store.claims import Claim, take
from ablate.store.layout import is_finished
from ablate.store.record import read_file, read_status
from ablate.tracker import check_tracker, trackers
from ablate.train.listener import Listener, Several
from ablate.trial import Trial, canonical


@dataclass(frozen=True, eq=False)
class Job:
    """A trial that somebody asked for by its config.

    Attributes:
        trial: Checked.
        place: Where it is trained.
        tree: Its config, as plain values.
    """

    trial: Trial
    place: Machine
    tree: dict[str, Any]

    @property
    def program(self) -> str:
        """What jobs must share to be one stack."""
        return canonical([structure(self.trial), str(self.place), self.tree["tracker"]])


def run_single(config: DictConfig) -> str | None:
    """Train the trial of a config unless it is finished, and say what came out.

    Returns:
        Its status.

    Raises:
        UserError: It cannot be trained; nothing was written.
        SystemExit: It was interrupted (128 + signal), or crashed and is the only one (1).
    """
    (status,) = train([job_of(config)])
    return status


def job_of(config: DictConfig) -> Job:
    """Return the job that a config describes, with its problems told.

    Raises:
        UserError: It cannot be trained.
    """
    join_sources(HydraConfig.get().runtime.config_sources)
    tree = resolved(config)
    place = machine(tree)
    check_tracker(tree["tracker"])
    return own_or_recorded(Job(checked(tree, place), place, tree))


def own_or_recorded(job: Job) -> Job:
    """Return a job, or the one that earlier code has trained where `code=` counts it; and say so.

    Raises:
        UserError: `code=` is none.
    """
    code, folder = job.tree["code"], job.place.out
    check_code(code)
    kin = kin_of(folder, [job.trial])
    if not kin:
        return job
    say(f"Note: {told(kin, folder, code)}")
    return replace(job, trial=kin[0].recorded) if code == RECORDED else job


def train(jobs: Sequence[Job], slots: int | None = None) -> list[str]:
    """Train jobs of one program as one stack, but for the finished, and say what came out.

    Args:
        jobs: No trial twice.
        slots: How many are trained at a time, None for all.

    Returns:
        Their statuses.

    Raises:
        UserError: One cannot be trained, or is being trained elsewhere; nothing was written.
        SystemExit: They were interrupted (128 + signal), or one crashed and is the only one (1).
    """
    trials, place = [job.trial for job in jobs], jobs[0].place
    for line in mend_trials(place.out, [trial.id for trial in trials]):
        say(f"Note: {line}")
    left = [trial for trial in trials if not is_finished(place.out, trial)]
    if left:
        check_writable(place.out)
        train_claimed(trials, left, bench(jobs, slots))
    return [
        report(trial, place, "" if trial in left else "was finished before: ") for trial in trials
    ]


def programs_of(jobs: Sequence[Job]) -> list[list[Job]]:
    """Return jobs by program, no trial twice in one."""
    groups: dict[tuple[str, int], list[Job]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for job in jobs:
        asked = job.program, job.trial.id
        groups.setdefault((job.program, seen[asked]), []).append(job)
        seen[asked] += 1
    return [*groups.values()]


def train_claimed(trials: Sequence[Trial], left: Sequence[Trial], bench: Bench) -> None:
    """Train what is left of a stack while no other process does.

    Raises:
        UserError: Another process has one of them.
        SystemExit: They were interrupted.
    """
    claims: list[Claim] = []
    try:
        for trial in left:
            claim = take(bench.machine.out, trial.id)
            if claim is None:
                raise UserError(
                    f"Trial {trial.id} is being trained by another process; wait for it to end, or "
                    "type another out= to train it there as well."
                )
            claims.append(claim)
        with Interrupt() as interrupt, at_work():
            statuses = run(trials, bench)  # all of them: a stack's checkpoint is under all names
    finally:
        for claim in claims:
            claim.release()
    if None in statuses:
        say(f"Saved at the last interval. The same command goes on from there: {tied(command())}")
        raise SystemExit(interrupt.code)


def checked(tree: dict[str, Any], place: Machine) -> Trial:
    """Return the trial of a tree, with everything that is wrong with it told before training.

    Raises:
        UserError: All problems at once.
    """
    dataset = dataset_of(tree, place)
    trial = trial_of(tree, dataset)
    (tell if is_multirun() else tell.__wrapped__)(dataset)
    trial = replace(trial, arm="+".join(sorted(trial.tricks)) or "reference")
    problems = check(trial, dataset)
    refused = dict.fromkeys(p.sentence for p in problems if p.refuse)
    if refused:
        raise UserError("\n".join(refused))
    for sentence in dict.fromkeys(p.sentence for p in problems):
        say(f"Note: {sentence}")
    if trial.images != trial.budget["images"]:
        say(rounding(trial))
    prepare(trial, place)
    return trial


@lru_cache(maxsize=1)  # jobs of one command mostly share their data
def tell(dataset: Dataset) -> None:
    """Print what was read."""
    say("\n".join(dataset.sentences()))


def rounding(trial: Trial) -> str:
    """Return the sentence for a budget that is not a whole number of batches."""
    return (
        f"Note: budget.images={trial.budget['images']} is no multiple of "
        f"train.batch_size={trial.train['batch_size']}; D is shown {trial.images:,} images."
    )


def bench(jobs: Sequence[Job], slots: int | None) -> Bench:
    """Return where a stack is trained, with progress shown and the tracker of its config."""
    place, tree = jobs[0].place, jobs[0].tree

    def listener(trials: Sequence[Trial]) -> Listener:
        labels = [f"{trial.arm} seed {trial.seed}" for trial in trials]
        return Several([shower(labels), *trackers(tree["tracker"], trials)], asked_here)

    told = provenance(place.device, tree, dataset_of(tree, place).summary())
    return Bench(place, told, listener, slots=lambda mine: slots or len(mine))


def report(trial: Trial, place: Machine, before: str) -> str:
    """Print what a finished trial has come to; return its status.

    Raises:
        SystemExit: It crashed, and it is the only trial of this command.
    """
    folder = place.out / "trials" / trial.id
    status = read_status(folder)
    why = f" ({status['reason']})" if status["reason"] else ""
    say(
        f"{trial.arm} seed {trial.seed} {before}{status['status']}{why} after "
        f"{status['images']:,} images in {lasted(status['wall_seconds'])}"
    )
    say(last_metrics(folder) + f"results in {folder}")
    if status["status"] == "crashed" and not is_multirun():
        say(f"Delete {folder} to train it again; the trace lies there.", sys.stderr)
        raise SystemExit(1)
    return str(status["status"])


def last_metrics(folder: Path) -> str:
    """Return the last value of every metric, a generator a line."""
    frame = pd.read_parquet(io.BytesIO(read_file(folder, "metrics.parquet")))
    last = frame[frame["images"] == frame["images"].max()]
    return "".join(
        f"  {generator}: "
        + "; ".join(
            f"{metric}{TIED}{number(value)}"
            for metric, value in zip(rows["metric"], rows["value"], strict=True)
        )
        + "\n"
        for generator, rows in last.groupby("generator", sort=False)
    )


def is_multirun() -> bool:
    """Return whether this is one of several jobs of a command."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def command() -> str:
    """Return the command as it was typed, but for what is secret."""
    return f"ablate train {shlex.join(hidden(sys.argv[1:]))}"
