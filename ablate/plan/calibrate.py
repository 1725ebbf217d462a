"""How long a plan will take here: a few rounds and one evaluation of each kind of program in it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ablate.core.step import Gan
from ablate.runner.build import assemble, structure
from ablate.runner.capacity import several, slots_that_fit
from ablate.runner.conv_choice import set_forms
from ablate.runner.inputs import prepare
from ablate.runner.machine import Machine
from ablate.screen.meter import Meter
from ablate.train.ladder import Play, climb
from ablate.train.sample import generate
from ablate.trial import Trial

PROGRAMS = 12  # measured at most; of more, so many from the whole length of the plan
GOLDEN = (math.sqrt(5) - 1) / 2
PLAYED_SECONDS = 0.3
PATIENCE_SECONDS = 4.0  # no further program is begun after it: a plan answers while one waits


@dataclass(frozen=True)
class Estimate:
    """What was measured.

    Attributes:
        seconds: Of all trainings, one after the other on the cores of one worker, or on one GPU.
        longest: Of a single stack: however many workers there are, it takes as long.
        programs: Kinds of programs in the plan.
        measured: How many of them were played; the others are taken to be their mean.
    """

    seconds: float
    longest: float
    programs: int
    measured: int

    def wall_seconds(self, workers: int) -> float:
        """Return how long so many workers take."""
        return max(self.seconds / workers, self.longest)


def estimate(trials: Sequence[Trial], place: Machine, stack: int) -> Estimate:
    """Measure what trainings cost on this machine with the threads that torch has now.

    Args:
        trials: What is to be trained.
        place: The device, and where the data lies; nothing is written but caches.
        stack: Trials that are trained as one program, where there is room.
    """
    groups = grouped(trials)
    keys, n = list(groups), min(PROGRAMS, len(groups))
    measured: dict[str, float] = {}
    prepare(trials[0], place)  # which may draw a bar of its own
    with Meter("Timing a few rounds") as meter:
        began = clock(place)
        for i, at in enumerate(spread_out(n)):
            if measured and clock(place) - began > PATIENCE_SECONDS:
                break
            meter.move(i, n, [f"program {i + 1} of {n}"])
            key = keys[at * len(keys) // n]
            shown = groups[key][: slots_that_fit(groups[key], place, stack)]
            measured[key] = stack_seconds(shown, place) / len(shown)
        meter.move(n, n)
    mean = sum(measured.values()) / len(measured)
    of_all = [(len(group), measured.get(key, mean)) for key, group in groups.items()]
    return Estimate(
        sum(n * seconds for n, seconds in of_all),
        max(min(n, stack) * seconds for n, seconds in of_all),
        len(groups),
        len(measured),
    )


def grouped(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    """Return structure -> trials; arms come again under every seed, and are looked at once."""
    known: dict[tuple[int, ...], str] = {}
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        parts = (trial.tricks, trial.data, trial.model, trial.budget, trial.metric, trial.train)
        same = tuple(map(id, parts))  # `Trial.at_seed` hands them on
        key = known.get(same) or known.setdefault(same, structure(trial))
        groups.setdefault(key, []).append(trial)
    return groups


def spread_out(n: int) -> list[int]:
    """Return the numbers below n in an order of which every beginning lies all over them."""
    return sorted(range(n), key=lambda i: i * GOLDEN % 1)


def stack_seconds(trials: Sequence[Trial], place: Machine) -> float:
    """Return the seconds that a stack takes from its first parameters to its last evaluation."""
    dataset, judge = prepare(trials[0], place)
    start = clock(place)
    gan = assemble(trials, dataset, place.device)
    set_forms(gan, place.operator, place.cache)
    play, _ = climb(gan, place.rung)
    built = clock(place) - start
    a_round = round_seconds(gan, play, place)
    start = clock(place)
    for theta in gan.tricks.sampler({"raw": gan.G.theta}, gan).values():
        judge.score(generate(gan, theta, trials[0].budget["samples"]))
    evaluation = clock(place) - start
    return built + a_round * gan.feed.rounds + evaluation * int(trials[0].budget["evaluations"])


def round_seconds(gan: Gan, play: Play, place: Machine) -> float:
    """Return the mean seconds of a round, over whole cycles of the schedule, one to warm up."""
    cycle = min(len(gan.rounds), gan.feed.rounds)
    several(gan, play, cycle)
    start, n = clock(place), 0
    while not n or (clock(place) - start < PLAYED_SECONDS and gan.feed.played < gan.feed.rounds):
        several(gan, play, cycle)
        n += cycle
    return (clock(place) - start) / n


def clock(place: Machine) -> float:
    """Return the time in seconds when all that the device was told to do is done."""
    if place.device.startswith("cuda"):
        torch.cuda.synchronize(place.device)
    return time.perf_counter()
