"""Trials in, results folder out: the glue between the plan, the core, the metrics and the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ablate.errors import UserError
from ablate.runner.context import Bench, named
from ablate.runner.fault import told as told_of
from ablate.runner.fit import checkpoint_of, fit
from ablate.runner.machine import Machine, on_gpu
from ablate.runner.memory import is_out_of_memory, no_memory, of_gpu, release_memory
from ablate.runner.results import Failure, Writer, write_failure
from ablate.store.layout import is_finished
from ablate.train.crash import Crash
from ablate.train.listener import Listener, Several
from ablate.train.slots import room
from ablate.train.streams import Rounds, to_end
from ablate.trial import Trial


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
