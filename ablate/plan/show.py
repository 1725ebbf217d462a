"""A plan as a person reads it before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from ablate.plan.notes import notes
from ablate.plan.study import Plan, PlannedArm
from ablate.screen.grid import draw
from ablate.screen.letters import counted, say

MOST_ROWS = 64  # of the table of arms


def show(plan: Plan, console: Console) -> None:
    """Print arms, what cannot be trained and why, aliases, notes, and the count of trainings."""
    told_by = dict[str, str]()
    rows = [[arm.arm.name, content(arm, told_by)] for arm in plan.arms[:MOST_ROWS]]
    draw([["arm", "tricks"], *rows], console, wraps=(0, 1))
    if len(plan.arms) > MOST_ROWS:
        say(f"... and {len(plan.arms) - MOST_ROWS} more.")
    shown = [group for group in map(short, plan.aliases) if len(group) > 1]
    if shown:
        say("Effects that this fraction cannot tell apart:")
    for group in shown:
        say(f"  {' = '.join(group)}")
    for note in notes(plan):
        say(f"Note: {note}")
    budget = plan.trials[0].budget["images"]
    if budget != plan.images:
        say(
            f"Note: budget.images={budget} is no multiple of the batch; D is shown {plan.images:,} "
            "images in every trial."
        )
    say(f"{plan.design}: {size(plan)}.")


def content(arm: PlannedArm, told_by: dict[str, str]) -> str:
    """Return the tricks of an arm, and its seeds where it has its own; or why it cannot be.

    Args:
        arm: An arm.
        told_by: Reason -> the first arm that gave it; a later one refers to it.
    """
    why = " ".join(arm.refused)
    if why:
        first = told_by.setdefault(why, arm.arm.name)
        return f"n/a: {why if first == arm.arm.name else f'as {first}'}"
    tricks = ", ".join(arm.trial.tricks) or "none"
    seeds = "" if arm.arm.seeds is None else f" (seeds {', '.join(map(str, arm.arm.seeds))})"
    return tricks + seeds


def short(group: Sequence[str]) -> list[str]:
    """Return the main effects and pairs of a group of aliases, not what is above."""
    return [name for name in group if name.count(":") < 2]


def size(plan: Plan) -> str:
    """Return arms x seeds, trainings and images."""
    good, trials = [p for p in plan.arms if not p.refused], len(plan.trials)
    several = f"{counted(len(good), 'arm')} x {counted(len(plan.seeds), 'seed')} = "
    if any(p.arm.seeds is not None for p in good):
        several = f"{len(good)} arms, each under its own of {len(plan.seeds)} seeds: "
    return (
        f"{several}{counted(trials, 'training')} of {plan.images:,} images, "
        f"{trials * plan.images:,} in all"
    )


def search_size(plan: Plan, search: Mapping[str, Any]) -> str:
    """Return what a search adds to a plan."""
    rules, arms = search["rules"], search["arms"]
    budget = sum(arm["budget_images"] for arm in arms)
    pruner = "" if rules["pruner"]["name"] == "none" else f", pruned by {rules['pruner']['name']}"
    again = sum(len(arm["seeds"]) for arm in arms)
    count = len(search["repeats"])
    repeats = f"{count} repeats of " if count > 1 else ""
    return (
        f"search: {repeats}{rules['sampler']['name']}{pruner}, by {rules['metric']}, "
        f"{counted(len(rules['seeds']), 'tuning seed')}, {arms[0]['budget_images']:,} images an "
        f"arm, {budget:,} in all; then {counted(again, 'training')} of the best settings, "
        f"{again * plan.images:,} images."
    )
