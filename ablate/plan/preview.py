"""`ablate plan`: what a study would train, how long and at what cost, without starting it."""

from __future__ import annotations

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from ablate.compose import Machine, join_sources, machine, resolved
from ablate.plan.calibrate import Estimate, estimate
from ablate.plan.files import against_earlier, unfinished
from ablate.plan.launch import planned_search, refuse_one_seed
from ablate.plan.lease import lease_of
from ablate.plan.show import search_size, show
from ablate.plan.study import plan_of
from ablate.plan.worker import threads_of, workers_of
from ablate.run import dataset_of


def preview(config: DictConfig) -> None:
    """Print the plan of a study and an estimate; nothing is written into its results folder.

    Raises:
        UserError: The study is wrong; all reasons at once.
    """
    hydra = HydraConfig.get()
    join_sources(hydra.runtime.config_sources)
    refuse_one_seed(hydra.overrides.task)
    place, tree = machine(config), resolved(config)
    study, dataset = tree["study"], dataset_of(config, place)
    plan = plan_of(config, dataset)
    print(*dataset.sentences(), sep="\n")
    console = Console(highlight=False)
    show(plan, console)
    search = planned_search(tree, plan, place.out, len(dataset.shape) == 1)
    if search is not None:
        console.print(search_size(plan, search))
    change = against_earlier(place.out, plan)
    if change is not None:
        console.print(f"Note: {change}", markup=False)
    left = unfinished(place.out, plan.trials)
    if len(left) < len(plan.trials):
        done = len(plan.trials) - len(left)
        console.print(f"{done} of them are in {place.out} already.", markup=False)
    if not left:
        return
    workers = min(workers_of(study, hydra.launcher, place.device), len(left))
    torch.set_num_threads(threads_of(study, hydra.launcher, place.device))
    found = estimate(left, place, lease_of(study, place.device, dataset.shape))
    console.print(told(found, workers, place))
    if search is not None:
        further = sum(arm["budget_images"] for arm in search["arms"])
        further += len(search["arms"]) * len(plan.seeds) * plan.images
        seconds = found.wall_seconds(workers) * further / (len(left) * plan.images)
        console.print(f"The search and what follows it, at the same pace: {lasting(seconds)} more.")


def told(found: Estimate, workers: int, place: Machine) -> str:
    """Return the estimate in words."""
    unit, threads = "GPU-hours", 1
    if place.device == "cpu":
        unit, threads = "core-hours", torch.get_num_threads()
    hours = found.seconds * threads / 3600
    return (
        f"About {lasting(found.wall_seconds(workers))} with {workers} "
        f"worker{'s' if workers > 1 else ''} on {place.device}, {hours:.2g} {unit}: a few rounds "
        f"and an evaluation were timed, of {found.measured} of {found.programs} different programs."
    )


def lasting(seconds: float) -> str:
    """Return a time to two digits that mean something."""
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.2g} {unit}"
    return f"{max(1, round(seconds))} seconds"
