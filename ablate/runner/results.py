"""From outcomes, and failures, to results."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Sequence

from ablate.config.sources import sources_of
from ablate.runner.context import Bench
from ablate.runner.memory import is_out_of_memory
from ablate.secrets import said
from ablate.store import write_trial
from ablate.train.listener import Listener
from ablate.train.outcome import Outcome
from ablate.trial import Trial


class Writer(Listener):
    """Writes the folder of every trial that ends."""

    def __init__(self, trials: Sequence[Trial], bench: Bench, note: str) -> None:
        self.trials, self.bench, self.note = trials, bench, note

    def finished(self, trial: int, outcome: Outcome) -> None:
        """Write."""
        write(self.trials[trial], outcome, self.bench, self.note)


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
