"""Weights & Biases as a mirror: one run a trial, under the trial's id, on an axis of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.train.loop import Listener, Outcome
from ablate.trial import Trial

STEP = "images"


class Wandb(Listener):
    """Sends metrics as they come, and the curves of each trial when it ends.

    wandb's own step only counts lines; every line carries `images`, which is the axis of all plots.
    """

    def __init__(self, trials: Sequence[Trial], settings: Mapping[str, Any]) -> None:
        """Open one run a trial."""
        import wandb

        self.runs = [self.open(wandb, trial, settings) for trial in trials]
        self.ended = [False for _ in trials]

    def open(self, wandb: Any, trial: Trial, settings: Mapping[str, Any]) -> Any:
        """Return the run of a trial."""
        run = wandb.init(
            id=trial.id,
            name=f"{trial.arm}, seed {trial.seed}",
            project=settings["project"],
            mode=settings["mode"],
            dir=settings["dir"],
            group=trial.arm,
            tags=[name[:64] for name in trial.tricks],
            config=trial.content(),
            resume="allow",
            reinit="create_new",
            settings=wandb.Settings(silent=True, console="off"),
        )
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP)
        return run

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Send the metrics of one generator."""
        values = {f"{generator}/{s.metric}": s.value for s in scores}
        self.runs[trial].log({STEP: images, **values})

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
        for run, ended in zip(self.runs, self.ended, strict=True):
            run.finish(exit_code=0 if ended else 1)
