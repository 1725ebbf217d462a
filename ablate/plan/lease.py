"""Leases: which trials of one program a worker takes at once.

A function of the plan alone, so that a study that is continued finds the same checkpoints. How many
trials of a lease are trained at a time depends on the room there is (`ablate.runner.capacity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ablate.config.catalog import trick_class
from ablate.data import Dataset
from ablate.runner.build import check, structure, together
from ablate.trial import Trial

LEASE_ON_GPU, LEASE_ON_CPU = 64, 8
SMALL_SIDE = 8  # pixels: up to here, and for points, a stack is faster on a CPU (docs/speed.md)


def lease_of(study: Mapping[str, Any], device: str, shape: Sequence[int]) -> int:
    """Return how many trials a worker takes at once.

    On a CPU no more than a few: workers, one a core, want stacks of their own.

    Args:
        study: The node of the config.
        device: Resolved.
        shape: Of a sample, (C, H, W) or (2,) for points.
    """
    if study["stack"] is not None:
        return int(study["stack"])
    if device.startswith("cuda"):
        return LEASE_ON_GPU
    return LEASE_ON_CPU if max(shape[1:], default=0) <= SMALL_SIDE else 1


def leases(trials: Sequence[Trial], size: int, dataset: Dataset | None = None) -> list[list[Trial]]:
    """Return the plan in leases of trials that one program can train, in the plan's order.

    Args:
        trials: The plan.
        size: Trials in a lease, at most.
        dataset: Theirs, where arms that differ by cheap tricks are to join; None: they do not.
    """
    if size == 1:
        return [[trial] for trial in trials]
    by_structure: dict[str, list[Trial]] = {}
    for trial in trials:
        by_structure.setdefault(structure(trial), []).append(trial)
    groups = list(by_structure.values())
    if dataset is not None:
        places = {trial.id: i for i, trial in enumerate(trials)}
        groups = [sorted(g, key=lambda t: places[t.id]) for g in joined(groups, size, dataset)]
    return [g[i : i + size] for g in groups for i in range(0, len(g), size)]


def joined(groups: Sequence[list[Trial]], size: int, dataset: Dataset) -> list[list[Trial]]:
    """Return groups of one structure joined, as far as cheap tricks allow and a lease has room.

    A GPU that waits for launches trains twice as many trials in the same time, and a trick that is
    cheap costs next to nothing at its neutral numbers. First come, first joined.
    """
    homes: dict[str, list[list[Trial]]] = {}
    for group in groups:
        open_ones = homes.setdefault(bare(group[0]), [])
        for home in open_ones:
            if len(home) + len(group) <= size and share(home, group, dataset):
                home.extend(group)
                break
        else:
            open_ones.append(list(group))
    return [home for open_ones in homes.values() for home in open_ones]


def bare(trial: Trial) -> str:
    """Return the structure of a trial without its cheap tricks."""
    costly = {name: s for name, s in trial.tricks.items() if not trick_class(name).cheap}
    return structure(replace(trial, tricks=costly))


def share(one: Sequence[Trial], other: Sequence[Trial], dataset: Dataset) -> bool:
    """Return whether two groups can be one program, and no trick in it refuses another."""
    alike = together([*one, *other])
    if len({structure(trial) for trial in alike}) > 1:
        return False
    return not any(problem.refuse for problem in check(alike[0], dataset))
