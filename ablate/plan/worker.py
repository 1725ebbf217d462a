"""A worker of a study: it claims trials, trains and writes them, until nothing is left.

What it returns is for nobody: results are in the folder, and so is the plan.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ablate.config.sources import code_of
from ablate.config.tree import join_sources, resolved
from ablate.disk import mark
from ablate.errors import UserError
from ablate.plan.files import unfinished
from ablate.plan.kin import name_of
from ablate.plan.lease import lease_of, leases
from ablate.plan.pause import by_arm, crashes
from ablate.plan.resources import device_of, threads_of
from ablate.plan.search_file import is_over
from ablate.plan.work_on import listeners, work_off
from ablate.runner.capacity import slots_that_fit
from ablate.runner.context import Bench
from ablate.runner.inputs import prepare
from ablate.runner.interrupt import StopFile, asked_here
from ablate.runner.machine import machine
from ablate.runner.orphan import at_work
from ablate.runner.provenance import provenance
from ablate.store.claims import Claim
from ablate.store.layout import ended
from ablate.store.plan import STUDY, TUNED, read_plan
from ablate.trial import Trial, canonical

SWEEP = "ABLATE_SWEEP"  # in a worker's environment: the mark of the sweep that launched it


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
            from ablate.plan.search_worker import tune_off

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
