"""Weights & Biases as a mirror: one run a trial, under the trial's id, on an axis of images."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from ablate.screen.letters import say
from ablate.tracker import quiet, run_settings
from ablate.train.listener import Listener
from ablate.train.outcome import Outcome
from ablate.trial import Trial

STEP = "images"
P = ParamSpec("P")


def mirrored(
    method: Callable[Concatenate[Wandb, P], None],
) -> Callable[Concatenate[Wandb, P], None]:
    """Return a method that costs no trial: a mirror that breaks is told once, and left alone."""

    @wraps(method)
    def guarded(self: Wandb, /, *args: P.args, **options: P.kwargs) -> None:
        if self.is_broken:
            return
        try:
            method(self, *args, **options)
        except Exception as error:  # of the network, of its service, or of the disk
            self.give_up(error)

    return guarded


class Wandb(Listener):
    """Sends metrics as they come, and the curves of each trial when it ends.

    wandb's own step only counts lines; every line carries `images`, which is the axis of all plots.
    """

    is_unreachable = False  # no run could be opened in this process, and no other is tried

    def __init__(self, trials: Sequence[Trial], settings: Mapping[str, Any]) -> None:
        """Open one run a trial."""
        self.runs: list[Any] = []
        self.ended = [False for _ in trials]
        self.is_broken = Wandb.is_unreachable
        self.begin(trials, settings)
        Wandb.is_unreachable = self.is_broken

    @mirrored
    def begin(self, trials: Sequence[Trial], settings: Mapping[str, Any]) -> None:
        """Open the runs."""
        kept = run_settings(settings)
        for trial in trials:
            self.runs.append(self.open(trial, kept))

    def open(self, trial: Trial, settings: Mapping[str, Any]) -> Any:
        """Return the run of a trial; it is told apart by the trial's id, not by WANDB_RUN_ID."""
        import wandb

        tags = [name[:64] for name in trial.tricks]
        run = wandb.init(
            id=trial.id,
            name=f"{trial.arm}, seed {trial.seed}",
            group=os.environ.get("WANDB_RUN_GROUP") or trial.arm,
            tags=tags + [tag for tag in os.environ.get("WANDB_TAGS", "").split(",") if tag],
            config=trial.content(),
            resume="allow",
            reinit="create_new",
            settings=wandb.Settings(**quiet()),
            **settings,
        )
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP)
        return run

    @mirrored
    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Send the metrics of one generator."""
        values = {f"{generator}/{s.metric}": s.value for s in scores}
        self.runs[trial].log({STEP: images, **values})

    @mirrored
    def finished(self, trial: int, outcome: Outcome) -> None:
        """Send the curves, and what the trial has come to."""
        points: dict[int, dict[str, float]] = {}
        for row in outcome.curves:
            points.setdefault(row["images"], {})[f"curve/{row['signal']}"] = row["value"]
        for images in sorted(points):
            self.runs[trial].log({STEP: images, **points[images]})
        for key in ("status", "reason", "wall_seconds", "device_seconds", "peak_memory_bytes"):
            self.runs[trial].summary[key] = getattr(outcome, key)
        self.ended[trial] = True

    def close(self) -> None:
        """Finish every run; one that did not end is marked as failed."""
        for run, ended in zip(self.runs, self.ended, strict=False):  # some may not have opened
            try:
                run.finish(exit_code=0 if ended else 1)
            except Exception as error:
                self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Tell the first failure; nothing more is sent."""
        if not self.is_broken:
            reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
            say(
                f"Weights & Biases: {reason}; the results are whole, their mirror is not.",
                sys.stderr,
            )
        self.is_broken = True
        if isinstance(error, ConnectionError):  # its process is gone, and no run has another
            import wandb

            with suppress(Exception):  # else wandb says the same once more, at our end
                wandb.teardown()
