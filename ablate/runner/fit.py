"""A stack from its first round, or its checkpoint, to its end."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from ablate.core.step import Gan
from ablate.disk import telling_disk_errors
from ablate.runner.build import assemble, together
from ablate.runner.conv_choice import set_forms
from ablate.runner.inputs import prepare
from ablate.runner.machine import Machine, on_gpu
from ablate.screen.letters import say
from ablate.store.layout import move_aside
from ablate.train import checkpoint
from ablate.train.ladder import Play, climb
from ablate.train.listener import Listener
from ablate.train.loop import Run
from ablate.train.outcome import Outcome
from ablate.train.slots import IDLE, room
from ablate.train.streams import Rounds
from ablate.trial import Trial


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
