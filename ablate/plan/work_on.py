"""A lease of trials: claimed, trained, written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ablate.runner.context import Bench
from ablate.runner.results import Failure, write_failure
from ablate.runner.stack import rounds_of
from ablate.store.claims import DEATHS, Claim, heartbeat, take
from ablate.store.layout import ended, is_finished
from ablate.store.plan import PLAN
from ablate.tracker import trackers
from ablate.train.listener import Listener, Several
from ablate.train.streams import Rounds, take_turns
from ablate.trial import Trial

STACKS_ON_GPU = 4  # at once, on a stream each; chosen without a measurement

DEADLY = Failure(
    f"{DEATHS} workers died over this trial (killed from outside, or out of memory).", ""
)


def work_off(
    todo: Sequence[Sequence[Trial]],
    bench: Bench,
    held: dict[str, Claim],
    stopped: Callable[[], bool],
) -> int:
    """Go through leases until nothing in them is free; return how many trials were finished.

    More than once, as what another worker has at first may be free later: it died.
    """
    done, before, device = 0, -1, bench.machine.device
    at_once = STACKS_ON_GPU if device.startswith("cuda") else 1
    while done > before:
        before = done
        there = ended(bench.machine.out)
        free = (
            work_on(lease, bench, held)
            for lease in todo
            if not all(trial.id in there for trial in lease) and not stopped()
        )
        done += sum(take_turns(free, at_once, device))
    return done


def work_on(lease: Sequence[Trial], bench: Bench, held: dict[str, Claim]) -> Rounds[int]:
    """Train those trials of a lease that nobody has; return how many were finished."""
    try:
        mine = claimed(lease, bench, held)
        statuses = (yield from rounds_of(mine, bench, size=len(lease))) if mine else []
        return sum(status is not None for status in statuses)
    finally:
        for trial in lease:
            if trial.id in held:
                held.pop(trial.id).release()


def claimed(lease: Sequence[Trial], bench: Bench, held: dict[str, Claim]) -> list[Trial]:
    """Return what is to be trained of a lease, once we hold its claims."""
    folder, mine, deadly = bench.machine.out, list[Trial](), False
    since = heartbeat(folder / PLAN)  # written at every start of the study
    for trial in lease:
        if is_finished(folder, trial) or not bench.wanted(trial):
            continue
        claim = take(folder, trial.id, since)
        if claim is None:
            if not mine:
                return []  # the worker that has the first takes the others as well
            continue
        held[trial.id] = claim
        if is_finished(folder, trial):  # its worker left between our two looks
            continue
        if claim.deaths >= DEATHS:
            write_failure(trial, "killed", DEADLY, bench)
            deadly = True
            continue
        mine.append(trial)
    # With those that were finished before a kill, a lease finds the checkpoint of them all.
    if mine and not deadly and all(t in mine or is_finished(folder, t) for t in lease):
        return list(lease)
    return mine


class Teller(Listener):
    """Writes into our claims how far we are and at what cost, for whoever watches the study."""

    def __init__(self, claims: Sequence[Claim | None]) -> None:
        self.claims = claims

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Tell."""
        for claim, shown in zip(self.claims, images, strict=True):
            if claim is not None:
                claim.tell(shown, seconds / len(self.claims))


def listeners(
    trials: Sequence[Trial],
    held: Mapping[str, Claim],
    tracker: Mapping[str, Any],
    asked: Callable[[], bool],
) -> Listener:
    """Return what listens to a stack of a study."""
    teller = Teller([held.get(trial.id) for trial in trials])
    return Several([teller, *trackers(tracker, trials)], asked)
