"""A worker of a study: it claims trials, trains and writes them, until nothing is left.

What it returns is for nobody: results are in the folder, and so is the plan.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ablate.assemble import structure
from ablate.compose import join_sources, machine, resolved
from ablate.interrupt import StopFile, asked_here
from ablate.listeners import Several
from ablate.plan.claim import DEATHS, Claim, heartbeat, take
from ablate.plan.files import PLAN, is_finished, read_plan
from ablate.provenance import provenance
from ablate.run import Bench, run, write_failure
from ablate.tracker import trackers
from ablate.train.loop import Listener
from ablate.trial import Trial

STACK_ON_GPU = 16


def work(config: DictConfig) -> int:
    """Train what the plan still lacks.

    Returns:
        How many trials this worker has finished.
    """
    join_sources(HydraConfig.get().runtime.config_sources)
    place, tree = machine(config), resolved(config)
    share_cores(tree["study"], place.device)
    asked = StopFile(place.out)
    held: dict[str, Claim] = {}
    bench = Bench(
        place,
        provenance(place.device, tree),
        lambda trials: listeners(trials, held, tree["tracker"], lambda: asked_here() or asked()),
    )
    trials = read_plan(place.out)
    done = 0
    for stack in stacks(trials, stack_of(tree["study"], place.device)):
        if asked_here() or asked():
            break
        done += work_on(stack, bench, held)
    return done


def work_on(stack: Sequence[Trial], bench: Bench, held: dict[str, Claim]) -> int:
    """Train those trials of a stack that nobody has; return how many were finished."""
    folder = bench.machine.out
    try:
        mine, since = [], heartbeat(folder / PLAN)  # written at every start of the study
        for trial in stack:
            claim = None if is_finished(folder, trial) else take(folder, trial.id, since)
            if claim is None:
                continue
            held[trial.id] = claim
            if is_finished(folder, trial):  # its worker left between our two looks
                continue
            if claim.deaths >= DEATHS:
                write_failure(trial, "killed", deadly(), bench)
                continue
            mine.append(trial)
        return sum(status is not None for status in run(mine, bench)) if mine else 0
    finally:
        while held:
            held.popitem()[1].release()


def deadly() -> RuntimeError:
    """Return the reason of a trial that ends its workers."""
    return RuntimeError(
        f"{DEATHS} workers died over this trial (killed from outside, or out of memory)."
    )


def stacks(trials: Sequence[Trial], size: int) -> list[list[Trial]]:
    """Return the plan in stacks of trials of one structure, in the plan's order.

    A function of the plan alone, so that a study that is continued finds the same checkpoints.
    """
    if size == 1:
        return [[trial] for trial in trials]
    groups: dict[Any, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(structure(trial), []).append(trial)
    return [g[i : i + size] for g in groups.values() for i in range(0, len(g), size)]


def stack_of(study: Mapping[str, Any], device: str) -> int:
    """Return how many trials one program trains."""
    return int(study["stack"] or (STACK_ON_GPU if device.startswith("cuda") else 1))


def cores() -> int:
    """Return the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def workers_of(study: Mapping[str, Any], launcher: Mapping[str, Any], device: str) -> int:
    """Return how many workers a study gets: one per core where they run at once, on a GPU one."""
    if study["workers"] is not None:
        return int(study["workers"])
    if launcher["_target_"].endswith("BasicLauncher") or device.startswith("cuda"):
        return 1
    wanted = int(launcher.get("n_jobs", -1))
    return cores() if wanted < 1 else wanted


def share_cores(study: Mapping[str, Any], device: str) -> None:
    """Give this worker its share of the cores, and no more than OMP_NUM_THREADS allows."""
    workers = workers_of(study, HydraConfig.get().launcher, device)
    torch.set_num_threads(max(1, min(torch.get_num_threads(), cores() // workers)))


class Teller(Listener):
    """Writes into our claims how far we are, for whoever watches the study."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = claims

    def interval(self, images: int, seconds: float, signals: Mapping[str, float]) -> None:
        """Tell."""
        for claim in self.claims:
            claim.tell(images)


def listeners(
    trials: Sequence[Trial],
    held: Mapping[str, Claim],
    tracker: Mapping[str, Any],
    asked: Callable[[], bool],
) -> Listener:
    """Return what listens to a stack of a study."""
    teller = Teller([held[trial.id] for trial in trials])
    return Several([teller, *trackers(tracker, trials)], asked)


def status_of(folder: Path, trial: Trial) -> dict[str, Any]:
    """Return the status of a finished trial."""
    text = (folder / "trials" / trial.id / "status.json").read_text()
    found: dict[str, Any] = json.loads(text)
    return found
