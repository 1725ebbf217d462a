"""A worker of a study: it claims trials, trains and writes them, until nothing is left.

What it returns is for nobody: results are in the folder, and so is the plan.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ablate.compose import join_sources, machine, resolved
from ablate.config.sources import code_of
from ablate.errors import UserError
from ablate.interrupt import StopFile, asked_here
from ablate.listeners import Several
from ablate.memory import slots_that_fit
from ablate.orphan import at_work
from ablate.plan.claim import DEATHS, Claim, heartbeat, take
from ablate.plan.files import (
    PLAN,
    STUDY,
    TUNED,
    ended,
    is_finished,
    is_over,
    read_plan,
    unfinished,
)
from ablate.plan.kin import name_of
from ablate.plan.lease import lease_of, leases
from ablate.plan.pause import by_arm, crashes
from ablate.process import mark
from ablate.provenance import provenance
from ablate.run import Bench, Failure, prepare, rounds_of, write_failure
from ablate.tracker import trackers
from ablate.train.loop import Listener
from ablate.train.streams import Rounds, take_turns
from ablate.trial import Trial, canonical

STACKS_ON_GPU = 4  # at once, on a stream each; chosen without a measurement
SWEEP = "ABLATE_SWEEP"  # in a worker's environment: the mark of the sweep that launched it
DEADLY = Failure(
    f"{DEATHS} workers died over this trial (killed from outside, or out of memory).", ""
)


def work(config: DictConfig) -> int:
    """Train what the plan still lacks.

    Returns:
        How many trials this worker has finished.
    """
    hydra = HydraConfig.get()
    join_sources(hydra.runtime.config_sources)
    tree = resolved(config)
    place = machine(tree)
    torch.set_num_threads(threads_of(tree["study"], hydra.launcher, place.device))
    place = replace(place, device=device_of(place.device, hydra.job.num))
    if place.device.startswith("cuda"):
        torch.cuda.set_device(place.device)  # nothing is to stand on another worker's GPU
    asked = StopFile(place.out, os.environ.get(SWEEP, mark()))
    held: dict[str, Claim] = {}

    def stopped() -> bool:
        return asked_here() or asked()

    def bench_in(folder: Path, trials: Sequence[Trial]) -> Bench:
        arms = by_arm(trials)
        return Bench(
            replace(place, out=folder),
            provenance(place.device, tree, dataset.summary()),
            lambda mine: listeners(mine, held, tree["tracker"], stopped),
            lambda trial: crashes(folder, arms[trial.arm], ended(folder)) is None,
            lambda mine: size if fixed else slots_that_fit(mine, place, size),
        )

    def leases_of(trials: Sequence[Trial]) -> list[list[Trial]]:
        return leases(trials, size, dataset if place.device.startswith("cuda") else None)

    trials, fixed = read_plan(place.out), tree["study"]["stack"] is not None
    refuse_other_code(unfinished(place.out, trials))
    dataset = prepare(trials[0], place)[0]
    size = lease_of(tree["study"], place.device, dataset.shape)
    bench, todo, done = bench_in(place.out, trials), leases_of(trials), 0
    with at_work():
        if not is_over(place.out):
            from ablate.plan.tuner import tune_off  # Optuna takes its time to import

            done += tune_off(tree["search"]["storage"], todo, bench, held, stopped)
        done += work_off(todo, bench, held, stopped)
        tuned = place.out / TUNED
        if (tuned / STUDY).is_file():
            trials = read_plan(tuned)
            done += work_off(leases_of(trials), bench_in(tuned, trials), held, stopped)
    return done


def refuse_other_code(trials: Sequence[Trial]) -> None:
    """Refuse to train by sources that are not those of the plan: another machine may have others.

    Raises:
        UserError: They differ here.
    """
    arms = {canonical([[*trial.tricks], trial.model, trial.code]): trial for trial in trials}
    for trial in arms.values():
        here = code_of(trial.tricks, trial.model)
        parts = [p for p in sorted({*here, *trial.code}) if here.get(p) != trial.code.get(p)]
        if parts:
            raise UserError(
                f"The source of {name_of(parts[0])} is not the one that the plan was made with; "
                "start the sweep again, where all machines have the same files."
            )


def work_off(
    todo: Sequence[Sequence[Trial]],
    bench: Bench,
    held: dict[str, Claim],
    stopped: Callable[[], bool],
) -> int:
    """Go through leases until nothing in them is free; return how many trials were finished.

    More than once, as what another worker has at first may be free later: it died.
    """
    done, before, device = 0, -1, bench.machine.device
    at_once = STACKS_ON_GPU if device.startswith("cuda") else 1
    while done > before:
        before = done
        there = ended(bench.machine.out)
        free = (
            work_on(lease, bench, held)
            for lease in todo
            if not all(trial.id in there for trial in lease) and not stopped()
        )
        done += sum(take_turns(free, at_once, device))
    return done


def work_on(lease: Sequence[Trial], bench: Bench, held: dict[str, Claim]) -> Rounds[int]:
    """Train those trials of a lease that nobody has; return how many were finished."""
    try:
        mine = claimed(lease, bench, held)
        statuses = (yield from rounds_of(mine, bench, size=len(lease))) if mine else []
        return sum(status is not None for status in statuses)
    finally:
        for trial in lease:
            if trial.id in held:
                held.pop(trial.id).release()


def claimed(lease: Sequence[Trial], bench: Bench, held: dict[str, Claim]) -> list[Trial]:
    """Return what is to be trained of a lease, once we hold its claims."""
    folder, mine, deadly = bench.machine.out, list[Trial](), False
    since = heartbeat(folder / PLAN)  # written at every start of the study
    for trial in lease:
        if is_finished(folder, trial) or not bench.wanted(trial):
            continue
        claim = take(folder, trial.id, since)
        if claim is None:
            if not mine:
                return []  # the worker that has the first takes the others as well
            continue
        held[trial.id] = claim
        if is_finished(folder, trial):  # its worker left between our two looks
            continue
        if claim.deaths >= DEATHS:
            write_failure(trial, "killed", DEADLY, bench)
            deadly = True
            continue
        mine.append(trial)
    # With those that were finished before a kill, a lease finds the checkpoint of them all.
    if mine and not deadly and all(t in mine or is_finished(folder, t) for t in lease):
        return list(lease)
    return mine


def cores() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def workers_of(
    study: Mapping[str, Any], launcher: Mapping[str, Any], device: str, slots: int | None = None
) -> int:
    """Return how many workers a study gets: one per core where they run at once, one per GPU.

    Args:
        study: The node of the config.
        launcher: Hydra's node.
        device: Resolved.
        slots: How many the launcher has room for, where it knows.

    Raises:
        UserError: A queue takes any number, so a person has to say it; or no worker would see a
            GPU.
    """
    name = launcher["_target_"].rpartition(".")[2]
    if name == "RayLauncher" and device.startswith("cuda") and not launcher["gpus"]:
        raise UserError(
            "hydra/launcher=ray gives its workers no GPU; type hydra.launcher.gpus=1 for one each, "
            "or device=cpu."
        )
    if study["workers"] is not None:
        return int(study["workers"])
    if slots is not None:
        return slots
    if name == "StackLauncher":
        raise UserError(
            "ablate sweep makes stacks of its plan by itself; leave out hydra/launcher=stack and "
            "type study.stack=16 for stacks of that size."
        )
    if "submitit" in launcher["_target_"]:
        kind = "slurm" if name.startswith("Slurm") else "local"
        raise UserError(
            f"hydra/launcher=submitit_{kind} starts each worker as a job of its own; type "
            "study.workers=4 for four of them."
        )
    if name == "BasicLauncher":
        return 1
    if device.startswith("cuda"):
        return torch.cuda.device_count() if device == "cuda" else 1
    wanted = int(launcher.get("n_jobs", -1))
    return cores() if wanted < 1 else wanted


def device_of(device: str, worker: int) -> str:
    """Return the device of a worker: GPUs go round, one that was named is everybody's.

    Args:
        device: Resolved; `cuda` is all GPUs that this process sees, be they those of a machine or
            those that a queue or a cluster gave to this worker alone.
        worker: Its number from 0.
    """
    return f"cuda:{worker % torch.cuda.device_count()}" if device == "cuda" else device


def threads_of(study: Mapping[str, Any], launcher: Mapping[str, Any], device: str) -> int:
    """Return this worker's share of the cores, no more than OMP_NUM_THREADS allows.

    A launcher that gives each worker cores of its own says so; others share those of one machine.
    """
    share = launcher.get("cpus_per_task") or launcher.get("cpus")
    if share is None:
        share = cores() // workers_of(study, launcher, device)
    return max(1, min(torch.get_num_threads(), int(share)))


class Teller(Listener):
    """Writes into our claims how far we are and at what cost, for whoever watches the study."""

    def __init__(self, claims: Sequence[Claim | None]) -> None:
        self.claims = claims

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Tell."""
        for claim, shown in zip(self.claims, images, strict=True):
            if claim is not None:
                claim.tell(shown, seconds / len(self.claims))


def listeners(
    trials: Sequence[Trial],
    held: Mapping[str, Claim],
    tracker: Mapping[str, Any],
    asked: Callable[[], bool],
) -> Listener:
    """Return what listens to a stack of a study."""
    teller = Teller([held.get(trial.id) for trial in trials])
    return Several([teller, *trackers(tracker, trials)], asked)
