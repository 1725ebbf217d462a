"""Trials in, results folder out: the glue between the plan, the core, the metrics and the store."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig

from ablate.assemble import assemble
from ablate.compose import Machine, resolved, without_paths
from ablate.data import Dataset, load
from ablate.errors import UserError
from ablate.metrics import Evaluator
from ablate.store import write_trial
from ablate.store.disk import telling_disk_errors
from ablate.store.schema import CURVES, METRICS, names
from ablate.train.loop import Listener, Outcome, Run
from ablate.trial import Trial, canonical

CRASH = "traceback.txt"


@dataclasses.dataclass(frozen=True)
class Bench:
    """Where trials are trained and written.

    Attributes:
        machine: Device and folders.
        provenance: What is written beside every result.
        listener: Is told how training goes, given the trials of a stack; the caller closes it.
    """

    machine: Machine
    provenance: Mapping[str, Any]
    listener: Callable[[Sequence[Trial]], Listener]


def dataset_of(config: DictConfig, machine: Machine) -> Dataset:
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
        UserError: The files here hold other images than the plan was made with, or the metrics
            cannot be computed.
    """
    options = {key: value for key, value in trial.data.items() if key != "fingerprint"}
    dataset = _dataset(canonical(options), machine.root, machine.cache)
    if dataset.fingerprint != trial.data["fingerprint"]:
        raise UserError(
            f"data={dataset.name} holds other images here (fingerprint {dataset.fingerprint}) than "
            f"where the plan was made ({trial.data['fingerprint']}); type the data.root= of those."
        )
    return dataset, _judge(dataset, canonical(trial.metric), trial.budget["samples"], machine)


def fit(trials: Sequence[Trial], machine: Machine, listener: Listener) -> list[Outcome]:
    """Train trials of one structure as one stack, from their checkpoint if there is one.

    Returns:
        One outcome a trial; its status is None where the listener has asked for an end.

    Raises:
        UserError: The trial cannot be trained, or its checkpoint belongs to another.
    """
    dataset, judge = prepare(trials[0], machine)
    gan, play = assemble(trials, dataset, machine.device), None
    if trials[0].train["compile"]:
        from ablate.train.compile import compiled

        play = compiled(gan)
    path, name = checkpoint_of(trials, machine.out), "+".join(t.id for t in trials)
    return Run(gan, trials[0].budget, judge, path, name, listener, play).train()


def checkpoint_of(trials: Sequence[Trial], folder: Path) -> Path:
    """Return where a stack keeps its checkpoint: under its only trial's id, or a hash of all."""
    ids = "+".join(trial.id for trial in trials)
    stem = ids if len(trials) == 1 else hashlib.sha256(ids.encode()).hexdigest()[:16]
    return folder / "checkpoints" / f"{stem}.pt"


def run(trials: Sequence[Trial], bench: Bench) -> list[str | None]:
    """Train a stack and write its results.

    A crash is a result as well. A stack that crashes is trained again one by one, so that the
    trial that brought it down goes down alone.

    Returns:
        The statuses, None for a trial that was asked to stop before its end.

    Raises:
        UserError: Results or checkpoints cannot be written or read.
    """
    listener = bench.listener(trials)
    try:
        outcomes = fit(trials, bench.machine, listener)
    except UserError:
        raise
    except Exception as error:
        if len(trials) > 1:
            return [status for trial in trials for status in run([trial], bench)]
        return [write_failure(trials[0], "crashed", error, bench)]
    finally:
        close(listener)
    for trial, outcome in zip(trials, outcomes, strict=True):
        if outcome.status is not None:
            write(trial, outcome, bench)
    if all(outcome.status for outcome in outcomes):
        checkpoint_of(trials, bench.machine.out).unlink(missing_ok=True)
    return [outcome.status for outcome in outcomes]


def close(listener: Listener) -> None:
    """Let a listener that holds something give it back."""
    getattr(listener, "close", lambda: None)()


def write(trial: Trial, outcome: Outcome, bench: Bench) -> None:
    """Write a trial's folder."""
    write_trial(
        bench.machine.out,
        dataclasses.asdict(trial),
        {
            "status": outcome.status,
            "reason": outcome.reason,
            "images": outcome.images,
            "wall_seconds": outcome.wall_seconds,
            "device_seconds": outcome.device_seconds,
            "peak_memory_bytes": outcome.peak_memory_bytes,
        },
        pd.DataFrame(outcome.metrics, columns=names(METRICS)),
        pd.DataFrame(outcome.curves, columns=names(CURVES)),
        outcome.samples,
        bench.provenance,
    )


def write_failure(trial: Trial, status: str, error: BaseException, bench: Bench) -> str:
    """Write the folder of a trial that has no outcome, with the trace of what ended it."""
    line = f"{type(error).__name__}: {error}".splitlines()[0]
    write(trial, Outcome(status=status, reason=line), bench)
    folder = bench.machine.out
    with telling_disk_errors(folder):
        text = "".join(traceback.format_exception(error))
        (folder / "trials" / trial.id / CRASH).write_text(text)
    return status
