"""What a worker does while settings are searched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ablate.plan.tune import Refusal, Tuning
from ablate.plan.work_on import Teller, work_on
from ablate.runner.build import check
from ablate.runner.context import Bench
from ablate.runner.inputs import prepare
from ablate.runner.machine import Machine
from ablate.search.arm import Job
from ablate.search.evidence import Evidence, values_of
from ablate.store.claims import Claim
from ablate.train.listener import Listener, Several
from ablate.train.outcome import Outcome
from ablate.train.streams import to_end
from ablate.trial import Trial

WAIT_SECONDS = 0.3  # while others train what a search waits for


class Ender(Listener):
    """Ends a stack when the search says so."""

    def __init__(self, job: Job, metric: str) -> None:
        self.job, self.metric = job, metric

    def pruned(self, outcomes: Sequence[Outcome]) -> str | None:
        """Ask the search, showing it what the trials have shown so far."""
        found = [
            Evidence(outcome.status or "", outcome.images, values_of(outcome.metrics, self.metric))
            for outcome in outcomes
        ]
        return self.job.prune(found)


def refusal_of(place: Machine) -> Refusal:
    """Return what says why a trial cannot be trained here."""

    def refusal(trial: Trial) -> str:
        problems = check(trial, prepare(trial, place)[0])
        return " ".join(dict.fromkeys(p.sentence for p in problems if p.refuse))

    return refusal


def tune_off(
    url: str | None,
    todo: Sequence[Sequence[Trial]],
    bench: Bench,
    held: dict[str, Claim],
    stopped: Callable[[], bool],
) -> int:
    """Train what the searches ask for until all are over; return how many trials were finished.

    While other workers have all that is asked for, trials of the plan are trained.

    Args:
        url: `search.storage`.
        todo: Leases of the plan.
        bench: Where trials are trained.
        held: Our claims.
        stopped: Whether somebody has asked for an end.
    """
    tuning = Tuning(bench.machine.out, refusal_of(bench.machine), url)
    done, spare = 0, iter(todo)
    while not stopped():
        count = 0
        for job in tuning.jobs():
            if not stopped():
                count += try_out(job, tuning.metric, bench, held, stopped)
        if count == 0:
            if tuning.is_finished():
                tuning.confirm()
                break
            lease = next(spare, None)
            if lease is None:
                time.sleep(WAIT_SECONDS)
            else:
                count = to_end(work_on(lease, bench, held))
        done += count
    return done


def try_out(
    job: Job, metric: str, bench: Bench, held: dict[str, Claim], stopped: Callable[[], bool]
) -> int:
    """Train the trials of a setting that nobody has; return how many were finished.

    A tracker is not told: a search is no result. A crash is told to the search and pauses nothing.
    """

    def listener(trials: Sequence[Trial]) -> Listener:
        teller = Teller([held.get(trial.id) for trial in trials])
        return Several([teller, Ender(job, metric)], stopped)

    return to_end(
        work_on(job.trials, replace(bench, listener=listener, wanted=lambda _: True), held)
    )
