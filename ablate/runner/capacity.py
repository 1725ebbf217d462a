"""How many trials fit on a GPU at a time: two small stacks are played, and a line is drawn.

The memory of a stack has a part of its own (the data, workspaces of libraries) and a part for every
trial, at its peak in a round or in an evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import torch

from ablate.core.step import Gan
from ablate.errors import UserError
from ablate.runner.build import assemble, structure, together
from ablate.runner.conv_choice import set_forms
from ablate.runner.inputs import prepare
from ablate.runner.machine import Machine
from ablate.runner.memory import release_memory
from ablate.train.ladder import Play
from ablate.train.sample import generate
from ablate.trial import Trial

PROBES = (2, 4)  # trials; one alone has kernels of its own
# Of what is free; the rest is for metrics, for fragments, and for an error of the line.
SHARE = 0.85


class Line(NamedTuple):
    """The peak of a stack, in bytes: of its own and for every trial."""

    base: float
    each: float

    def at(self, k: int) -> float:
        """Return the peak of k trials."""
        return self.base + self.each * k


class Meter(Protocol):
    """Knows the memory of a device.

    Attributes:
        name: Of the device; equal devices have one.
    """

    name: str

    def free(self) -> int:
        """Return the bytes that are free."""

    def peak(self, work: Callable[[], None]) -> int:
        """Return the bytes that some work has held at most."""


class Cuda:
    """The memory of a CUDA device, as torch counts it."""

    def __init__(self, device: str) -> None:
        self.device, self.name = device, torch.cuda.get_device_name(device)

    def free(self) -> int:
        """Return the bytes that nobody holds, other processes included."""
        return torch.cuda.mem_get_info(self.device)[0]

    def peak(self, work: Callable[[], None]) -> int:
        """Return the bytes that some work has held at most."""
        torch.cuda.reset_peak_memory_stats(self.device)
        before = torch.cuda.memory_allocated(self.device)
        work()
        return torch.cuda.max_memory_allocated(self.device) - before


_lines: dict[tuple[str, str], Line] = {}


def slots_that_fit(
    trials: Sequence[Trial], machine: Machine, most: int, meter: Meter | None = None
) -> int:
    """Return how many trials of a lease are trained at a time.

    On a GPU the largest power of two up to `most` for which there is room, measured once a
    structure and a process; on a CPU `most`. What is wrong will be told by the training.

    Args:
        trials: Of one lease.
        machine: Where they are trained.
        most: Trials at a time, at most.
        meter: Of the device, if not of a CUDA device.
    """
    if meter is None and not machine.device.startswith("cuda"):
        return most
    meter = meter or Cuda(machine.device)
    whole = together(trials)
    key = structure(whole[0]), meter.name
    if key not in _lines and most > 1:
        _lines[key] = measured(whole, machine, meter)
    release_memory()
    room, fits = SHARE * meter.free(), 1
    while 2 * fits <= most and _lines[key].at(2 * fits) <= room:
        fits *= 2
    return fits


def measured(trials: Sequence[Trial], machine: Machine, meter: Meter) -> Line:
    """Return the line through the peaks of two stacks; where one failed, an upper bound."""
    prepare(trials[0], machine)  # what all stacks of a process share is there before
    peaks = []
    for k in (PROBES[0], *PROBES):  # the first loads libraries, which keep what they take
        stack = [trials[i % len(trials)] for i in range(k)]
        try:
            peaks.append(meter.peak(partial(rehearse, stack, machine)))
        except UserError:
            raise
        except Exception:  # no room; or a crash, which the training will meet and write down
            break
        finally:
            release_memory()
    if len(peaks) < 2:
        return Line(0.0, float("inf"))
    if len(peaks) == 2:
        return Line(0.0, peaks[1] / PROBES[0])
    each = max(0.0, (peaks[2] - peaks[1]) / (PROBES[1] - PROBES[0]))
    return Line(peaks[1] - PROBES[0] * each, each)


def rehearse(trials: Sequence[Trial], machine: Machine) -> None:
    """Play a cycle of a stack's schedule, and draw the samples of an evaluation."""
    dataset, _ = prepare(trials[0], machine)
    gan = assemble(trials, dataset, machine.device)
    set_forms(gan, machine.operator, machine.cache)
    several(gan, gan.play, min(len(gan.rounds), gan.feed.rounds))
    for theta in gan.tricks.sampler({"raw": gan.G.theta}, gan).values():
        generate(gan, theta, trials[0].budget["samples"])


def several(gan: Gan, play: Play, n: int) -> None:
    """Play n rounds, as the loop does."""
    for _ in range(n):
        gan.feed.refill()
        play(gan.rounds[gan.feed.played % len(gan.rounds)])
        gan.feed.count()
