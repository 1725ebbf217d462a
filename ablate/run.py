"""Trials in, results folder out: the glue between the plan, the core, the metrics and the store."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from ablate.assemble import assemble, together
from ablate.compose import Machine, resolved, without_paths
from ablate.config.sources import sources_of
from ablate.data import Dataset, load
from ablate.data.option import remade
from ablate.errors import UserError
from ablate.fault import told as told_of
from ablate.listeners import Several
from ablate.metrics import Evaluator
from ablate.operators import set_forms
from ablate.plan.files import is_finished, move_aside
from ablate.screen import say
from ablate.secrets import said
from ablate.selftest import require
from ablate.store import write_trial
from ablate.store.disk import telling_disk_errors
from ablate.train import checkpoint
from ablate.train.ladder import Play, climb
from ablate.train.loop import Crash, Listener, Outcome, Run
from ablate.train.slots import IDLE, room
from ablate.train.step import Gan
from ablate.train.streams import Rounds, to_end
from ablate.trial import Trial, canonical

# What CPU and GPU allocators and their libraries say where PyTorch has no error of its own for it.
NO_MEMORY = ("DefaultCPUAllocator", "not enough memory", "out of memory", "ALLOC_FAILED")


@dataclasses.dataclass(frozen=True)
class Bench:
    """Where trials are trained and written.

    Attributes:
        machine: Device and folders.
        provenance: What is written beside every result.
        listener: Is told how training goes, given the trials of a stack; the caller closes it.
        wanted: Whether a trial is still to be trained when its turn comes.
        slots: How many trials of a lease are trained at a time.
    """

    machine: Machine
    provenance: Mapping[str, Any]
    listener: Callable[[Sequence[Trial]], Listener]
    wanted: Callable[[Trial], bool] = lambda _: True
    slots: Callable[[Sequence[Trial]], int] = len


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


def fit(
    trials: Sequence[Trial], machine: Machine, listener: Listener, slots: int
) -> Rounds[list[Outcome]]:
    """Do what `go_on` does, from the beginning where the checkpoint turns out to be unfit."""
    try:
        return (yield from go_on(trials, machine, listener, slots))
    except checkpoint.Unfit as unfit:
        with telling_disk_errors(machine.out):
            place = move_aside(machine.out, unfit.path)
        say(f"{unfit}; moved to {place}. What it was of is trained from the beginning.", sys.stderr)
    return (yield from fit(trials, machine, listener, slots))


def go_on(
    trials: Sequence[Trial], machine: Machine, listener: Listener, slots: int
) -> Rounds[list[Outcome]]:
    """Train trials of one structure as one stack, from their checkpoint if there is one.

    Rests after every round.

    Args:
        trials: What is trained.
        machine: Where.
        listener: Is told.
        slots: How many are trained at a time, of which some may be nobody's; a checkpoint knows
            better.

    Returns:
        One outcome a trial; its status is None where the listener has asked for an end.

    Raises:
        UserError: The trial cannot be trained.
        Unfit: Nobody can go on from the checkpoint.
    """
    dataset, judge = prepare(trials[0], machine)
    alike = together(trials)

    def make(places: Sequence[int]) -> Gan:
        return assemble([alike[max(n, 0)] for n in places], dataset)  # anybody where it is idle

    def ready(gan: Gan) -> tuple[Play, str]:
        set_forms(gan, machine.operator, machine.cache)
        return climb(gan, machine.rung)

    path, identity = checkpoint_of(trials, machine.out), "+".join(trial.id for trial in trials)
    places = slots_in(path, identity) or begin(len(trials), slots, on_gpu(machine))
    gan, budget = make(places).to(machine.device), trials[0].budget
    n, steady = len(trials), not on_gpu(machine)
    run = Run(gan, budget, judge, path, identity, listener, ready, make, places, n, steady)
    return (yield from run.rounds())


def on_gpu(machine: Machine) -> bool:
    """Return whether trials are trained on a GPU."""
    return machine.device.startswith("cuda")


def slots_in(path: Path, identity: str) -> list[int] | None:
    """Return the trial in each slot of a checkpoint, None where there is none."""
    content = checkpoint.load(path, identity)
    if content is None:
        return None
    with checkpoint.fitting(path):
        slots, trials = [int(n) for n in content["slots"]], identity.count("+") + 1
        if not slots or not all(IDLE <= n < trials for n in slots):
            raise ValueError(f"slots {slots} of {trials} trials")
        return slots


def begin(trials: int, slots: int, gpu: bool) -> list[int]:
    """Return the trial in each slot at first, the others idle.

    On a CPU a stack has as many as it was planned with, whoever is left of it: in float32 the last
    digits of a trial may depend on their number (docs/adr/0011). On a GPU stacks have a few sizes:
    idle slots cost it little, and programs that were compiled for a size serve again.
    """
    places = list(range(trials))[:slots]
    size = room(len(places)) if gpu else slots
    return places + [IDLE] * (size - len(places))


def checkpoint_of(trials: Sequence[Trial], folder: Path) -> Path:
    """Return where a stack keeps its checkpoint: under its only trial's id, or a hash of all."""
    ids = "+".join(trial.id for trial in trials)
    stem = ids if len(trials) == 1 else hashlib.sha256(ids.encode()).hexdigest()[:16]
    return folder / "checkpoints" / f"{stem}.pt"


def run(trials: Sequence[Trial], bench: Bench) -> list[str | None]:
    """Train trials without a rest: `rounds_of` to its end."""
    return to_end(rounds_of(trials, bench))


def rounds_of(
    trials: Sequence[Trial],
    bench: Bench,
    slots: int | None = None,
    note: str = "",
    size: int | None = None,
) -> Rounds[list[str | None]]:
    """Train trials as a stack and write the results of each as soon as it has ended.

    A crash, which is what the step or a metric raises, is a result as well. What crashes is trained
    again in halves, so that the trial that brought it down goes down alone; where halves were
    begun, they are gone on with. A stack that finds no room on a GPU is trained again in half as
    many slots. Whatever else is raised (by this machine's disk or memory, by what builds networks,
    prepares data or listens) is no result and changes nothing: the stack goes on as it was.

    Args:
        trials: Of one structure; those that are finished are left alone.
        bench: Where they are trained.
        slots: How many are trained at a time, None for what the bench says.
        note: Written into each status: what a reader should know about the stack.
        size: How many trials the stack was planned with, None for as many as are left.

    Returns:
        When it ends, the statuses, None for a trial that was asked to stop before its end.

    Raises:
        UserError: Results or checkpoints cannot be written or read, a listener failed, networks
            cannot be built, or the machine has no memory.
        OSError: The disk or the output failed.
    """
    folder = bench.machine.out
    if not checkpoint_of(trials, folder).is_file():
        if any(is_begun(half, folder) for half in halves(trials)):
            note = note or f"A stack of {len(trials)} goes on in parts."
            return (yield from in_halves(trials, bench, slots, note, size))
        left = [t for t in trials if not is_finished(folder, t) and bench.wanted(t)]
        if len(left) < len(trials):
            return (yield from rounds_of(left, bench, slots, note, size)) if left else []
    failure = None
    try:
        with listening(trials, bench) as listener:
            both = Several([Writer(trials, bench, note), listener], lambda: listener.stop)
            whole = len(trials) if size is None or on_gpu(bench.machine) else size
            slots = min(slots or bench.slots(trials), whole)
            outcomes = yield from fit(trials, bench.machine, both, slots)
    except (UserError, OSError):
        raise  # what a disk, a pipe or a person did is no status of a trial
    except Exception as error:
        refuse_no_result(error, trials, bench.machine, slots)
        failure = Failure.of(raised_by(error))  # without the frames, which hold the tensors
    if failure is not None:
        return (yield from failed(trials, failure, bench, slots, note, size))
    if all(outcome.status for outcome in outcomes):
        checkpoint_of(trials, folder).unlink(missing_ok=True)
    return [outcome.status for outcome in outcomes]


class Writer(Listener):
    """Writes the folder of every trial that ends."""

    def __init__(self, trials: Sequence[Trial], bench: Bench, note: str) -> None:
        self.trials, self.bench, self.note = trials, bench, note

    def finished(self, trial: int, outcome: Outcome) -> None:
        """Write."""
        write(self.trials[trial], outcome, self.bench, self.note)


def failed(
    trials: Sequence[Trial],
    failure: Failure,
    bench: Bench,
    slots: int | None,
    note: str,
    size: int | None,
) -> Rounds[list[str | None]]:
    """Write the crash of a trial alone, or train a stack from its beginning in smaller parts."""
    checkpoint_of(trials, bench.machine.out).unlink(missing_ok=True)
    if len(trials) == 1:
        return [write_failure(trials[0], "crashed", failure, bench, note)]
    release_memory()
    if failure.out_of_memory and slots is not None and slots > 1:
        half = room(slots) // 2
        note = f"A stack of {slots} ran out of memory; trained in one of {half} or fewer."
        return (yield from rounds_of(trials, bench, half, note, size))
    return (yield from in_halves(trials, bench, slots, note, size))


def in_halves(
    trials: Sequence[Trial],
    bench: Bench,
    slots: int | None,
    note: str,
    size: int | None,
) -> Rounds[list[str | None]]:
    """Train the halves of a stack one after the other, each in the slots of the whole."""
    statuses: list[str | None] = []
    for half in halves(trials):
        statuses += yield from rounds_of(half, bench, slots, note, size or len(trials))
    return statuses


def halves(trials: Sequence[Trial]) -> list[Sequence[Trial]]:
    """Return two parts of a stack, of one trial none; the first is a power of two."""
    if len(trials) == 1:
        return []
    n = 1 << (len(trials) - 1).bit_length() - 1
    return [trials[:n], trials[n:]]


def is_begun(trials: Sequence[Trial], folder: Path) -> bool:
    """Return whether a stack or any part of it has a checkpoint."""
    here = checkpoint_of(trials, folder).is_file()
    return here or any(is_begun(half, folder) for half in halves(trials))


@contextmanager
def listening(trials: Sequence[Trial], bench: Bench) -> Iterator[Listener]:
    """Give the listener of a stack, and let it give back what it holds."""
    listener = bench.listener(trials)
    try:
        yield listener
    finally:
        getattr(listener, "close", lambda: None)()


def refuse_no_result(
    error: Exception, trials: Sequence[Trial], machine: Machine, slots: int | None
) -> None:
    """Refuse to take for a result what neither the step nor a metric has raised.

    A stack that finds no room on a GPU while it is built is none either, but fewer slots may help.

    Raises:
        UserError: It is none.
    """
    cause = raised_by(error)
    crashed, memory = isinstance(error, Crash), is_out_of_memory(cause)
    smaller = slots is not None and slots > 1
    if memory and not (of_gpu(cause, machine) and (crashed or smaller)):
        raise UserError(no_memory(trials, machine.out)) from error
    if not memory and not crashed:
        tricks = dict.fromkeys(name for trial in trials for name in trial.tricks)
        raise UserError(
            f"{told_of(error, tricks)}: that is no result of {named(trials)}, and what is under "
            f"way in {machine.out} keeps its checkpoints; mend it and type the same command again."
        ) from error


def raised_by(error: Exception) -> BaseException:
    """Return what the step or a metric raised, else the error itself."""
    return error.__cause__ or error if isinstance(error, Crash) else error


def named(trials: Sequence[Trial]) -> str:
    """Return the arms of a stack, and where it begins."""
    arms = ", ".join(dict.fromkeys(trial.arm for trial in trials))
    return f"{arms} (seed {trials[0].seed})"


@dataclasses.dataclass(frozen=True)
class Failure:
    """What ended a trial, in words.

    Attributes:
        reason: One line.
        trace: Where it happened.
        out_of_memory: Whether a smaller stack may help.
    """

    reason: str
    trace: str
    out_of_memory: bool = False

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Return an error in words."""
        trace = said("".join(traceback.format_exception(error)))
        if is_out_of_memory(error):
            return cls("out of memory", trace, out_of_memory=True)
        return cls(said(f"{type(error).__name__}: {error}").splitlines()[0], trace)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the device or the machine has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in NO_MEMORY)


def of_gpu(error: BaseException, machine: Machine) -> bool:
    """Return whether it is a GPU that has no memory left, and not the machine around it."""
    around = isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error)
    return on_gpu(machine) and not around


def no_memory(trials: Sequence[Trial], folder: Path) -> str:
    """Return the sentence for a stack that finds no room in the machine's memory."""
    return (
        f"This machine has no memory left for {named(trials)}; what is under way in {folder} keeps "
        "its checkpoints, so free some memory, with study.workers=1 for instance, and type the "
        "same command again."
    )


def release_memory() -> None:
    """Give back what a stack has held, before its halves ask for theirs."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def write(trial: Trial, outcome: Outcome, bench: Bench, note: str = "", trace: str = "") -> None:
    """Write a trial's folder."""
    write_trial(
        bench.machine.out,
        trial.content(),
        {
            "status": outcome.status,
            "reason": outcome.reason,
            "note": " ".join(filter(None, (note, outcome.note))),
            "images": outcome.images,
            "wall_seconds": outcome.wall_seconds,
            "device_seconds": outcome.device_seconds,
            "peak_memory_bytes": outcome.peak_memory_bytes,
            "trace": trace,
        },
        outcome.metrics,
        outcome.curves,
        outcome.samples,
        {**bench.provenance, "sources": sources_of(trial.tricks, trial.model)},
    )


def write_failure(trial: Trial, status: str, failure: Failure, bench: Bench, note: str = "") -> str:
    """Write the folder of a trial that has no outcome, with the trace of what ended it."""
    write(trial, Outcome(status=status, reason=failure.reason), bench, note, failure.trace)
    return status
