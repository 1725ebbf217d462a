"""What a worker gets of its machine: a device, threads, and how many there are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from ablate.errors import UserError


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
