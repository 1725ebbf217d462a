"""What a trial is trained on and judged by: its data set and its evaluator."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from ablate.config.tree import resolved, without_paths
from ablate.data import Dataset, load
from ablate.data.option import remade
from ablate.errors import UserError
from ablate.metrics import Evaluator
from ablate.runner.machine import Machine, on_gpu
from ablate.runner.selftest import require
from ablate.trial import Trial, canonical


def dataset_of(config: DictConfig | dict[str, Any], machine: Machine) -> Dataset:
    """Return the data set that a config names, loaded once a process."""
    options = without_paths(resolved(config)["data"])
    return _dataset(canonical(options), machine.root, machine.cache)


@lru_cache(maxsize=2)
def _dataset(options: str, root: str | None, cache: Path) -> Dataset:
    return load(root=root, cache=cache, **json.loads(options))


@lru_cache(maxsize=2)
def _judge(dataset: Dataset, metric: str, samples: int, machine: Machine) -> Evaluator:
    return Evaluator(
        dataset,
        samples=samples,
        path=machine.inception,
        cache=machine.cache,
        device=machine.device,
        **json.loads(metric),
    )


def prepare(trial: Trial, machine: Machine) -> tuple[Dataset, Evaluator]:
    """Return the data and the metrics of a trial, each made once a process.

    Raises:
        UserError: The files here hold other images than the plan was made with, the metrics
            cannot be computed, or the GPU fails its self-test.
    """
    if on_gpu(machine):
        require(machine)
    options = canonical(remade(trial.data, machine.reading))
    dataset = _dataset(options, machine.root, machine.cache)
    if dataset.fingerprint != trial.data["fingerprint"]:
        raise UserError(
            f"data={dataset.name} holds other images here (fingerprint {dataset.fingerprint}) than "
            f"where the plan was made ({trial.data['fingerprint']}); type the data.root= of those."
        )
    return dataset, _judge(dataset, canonical(trial.metric), trial.budget["samples"], machine)
