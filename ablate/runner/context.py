"""What trials of a study are trained with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ablate.runner.machine import Machine
from ablate.train.listener import Listener
from ablate.trial import Trial


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


def named(trials: Sequence[Trial]) -> str:
    """Return the arms of a stack, and where it begins."""
    arms = ", ".join(dict.fromkeys(trial.arm for trial in trials))
    return f"{arms} (seed {trials[0].seed})"
