"""`ablate plan`: what a study would train, how long and at what cost, without starting it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ablate.config.tree import join_sources, resolved
from ablate.plan.calibrate import Estimate, estimate
from ablate.plan.files import against_earlier, unfinished
from ablate.plan.kin import of_plan
from ablate.plan.launch import planned_search, refuse_one_seed
from ablate.plan.lease import lease_of
from ablate.plan.pilot import spread_in
from ablate.plan.power import after_search, sentences
from ablate.plan.resources import threads_of, workers_of
from ablate.plan.show import search_size, show
from ablate.plan.study import Plan, plan_of
from ablate.runner.inputs import dataset_of
from ablate.runner.machine import Machine, machine
from ablate.screen.duration import about, one_digit
from ablate.screen.letters import console, counted, say
from ablate.store.plan import TUNED


def preview(config: DictConfig) -> None:
    """Print the plan of a study and an estimate; nothing is written into its results folder.

    Raises:
        UserError: The study is wrong; all reasons at once.
    """
    hydra = HydraConfig.get()
    join_sources(hydra.runtime.config_sources)
    refuse_one_seed(hydra.overrides.task)
    tree = resolved(config)
    place = machine(tree)
    study, dataset = tree["study"], dataset_of(tree, place)
    plan, kin, whose = of_plan(plan_of(tree, dataset), place.out, tree["code"])
    say("\n".join(dataset.sentences()))
    show(plan, console())
    for sentence in sentences(plan, spread_in(place.out), str(place.out)):
        say(sentence)
    search = planned_search(tree, plan, place.out, len(dataset.shape) == 1)
    if search is not None:
        show_search(plan, search, place.out)
    change = against_earlier(place.out, plan, {one.recorded.id for one in kin})
    for note in filter(None, (change, whose)):
        say(f"Note: {note}")
    left = unfinished(place.out, plan.trials)
    if len(left) < len(plan.trials):
        done = len(plan.trials) - len(left)
        say(f"{done} of them are in {place.out} already.")
    if not left:
        return
    workers = min(workers_of(study, hydra.launcher, place.device), len(left))
    torch.set_num_threads(threads_of(study, hydra.launcher, place.device))
    found = estimate(left, place, lease_of(study, place.device, dataset.shape))
    say(told(found, workers, place))
    if search is not None:
        further = sum(arm["budget_images"] for arm in search["arms"])
        further += sum(len(arm["seeds"]) for arm in search["arms"]) * plan.images
        seconds = found.wall_seconds(workers) * further / (len(left) * plan.images)
        say(f"The search and what follows it, at the same pace: about {about(seconds)} more.")


def show_search(plan: Plan, search: Mapping[str, Any], folder: Path) -> None:
    """Print what a search adds to a plan, and what the table after it can find."""
    say(search_size(plan, search))
    spreads = spread_in(folder), spread_in(folder / TUNED)
    for sentence in after_search(plan, search["repeats"], *spreads):
        say(sentence)


def told(found: Estimate, workers: int, place: Machine) -> str:
    """Return the estimate in words."""
    unit, threads = "GPU-hours", 1
    if place.device == "cpu":
        unit, threads = "core-hours", torch.get_num_threads()
    hours = one_digit(found.seconds * threads / 3600)
    return (
        f"About {about(found.wall_seconds(workers))} with {counted(workers, 'worker')} on "
        f"{place.device}, {hours} {unit}: a few rounds and an evaluation were timed, of "
        f"{found.measured} of {counted(found.programs, 'different program')}."
    )
