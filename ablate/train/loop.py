"""The loop around the step: budget, curves, evaluations, checkpoints.

It reads nothing from the device between two of its own points, so a round costs what the step
costs.

Legend: K trials, B batch, C H W image, N samples.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ablate.train import checkpoint
from ablate.train.sample import generate
from ablate.train.schedule import images_after
from ablate.train.step import Gan
from ablate.trick import Round

GRID = 64  # samples that are kept of every generator
SHOW_SECONDS = 0.5  # between two looks of a listener
SAVE_SECONDS = 60.0  # between two checkpoints, where evaluations are further apart


class Score(Protocol):
    """One metric of one generator."""

    metric: str
    value: float
    resample_sd: float | None
    protocol: str


class Judge(Protocol):
    """Scores the samples of K generators, uint8 [K, N, C, H, W] or points [K, N, 2]."""

    def score(self, images: Tensor) -> list[list[Any]]:
        """Return every metric of each."""

    def collapsed(self, images: Tensor) -> list[str | None]:
        """Return for each why its samples count as collapsed, or None."""


class Listener:
    """What the loop tells while it runs. This one is silent; set `stop` to end after a round."""

    stop: bool = False

    def started(self, images: int) -> None:
        """Training begins; `images` is the whole budget."""

    def interval(self, images: int, seconds: float, signals: Mapping[str, float]) -> None:
        """Some time has passed; signals are means over the stack."""

    def evaluated(self, images: int, slot: int, generator: str, scores: list[Any]) -> None:
        """A generator of the trial in a slot was scored."""

    def finished(self, slot: int, outcome: Outcome) -> None:
        """A trial has ended."""

    def pruned(self, outcomes: Sequence[Outcome]) -> str | None:
        """Return why the stack ends here for good, asked after every evaluation but the last."""
        return None


@dataclass
class Outcome:
    """What a trial has left behind; `status` is None while it is unfinished."""

    status: str | None = None
    reason: str | None = None
    images: int = 0
    wall_seconds: float = 0.0
    device_seconds: float = 0.0
    peak_memory_bytes: int = 0
    metrics: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    samples: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Run:
    """One stack on its way through its budget.

    Attributes:
        gan: K trials; `gan.feed.rounds` is the length of the run.
        budget: `evaluations`, `samples` an evaluation and `curve_points`.
        judge: Scores samples.
        path: Where the checkpoint lies, None for none.
        identity: Names the trials; a checkpoint of another name is refused.
        listener: Is told.
        play: Plays a round; the compiled step where that is asked for.
    """

    gan: Gan
    budget: Mapping[str, Any]
    judge: Judge
    path: Path | None = None
    identity: str = ""
    listener: Listener = field(default_factory=Listener)
    play: Callable[..., dict[str, Tensor]] | None = None

    def __post_init__(self) -> None:
        feed = self.gan.feed
        self.outcomes = [Outcome() for _ in feed.seed]
        self.seconds, self.saved, self.shown = 0.0, 0.0, 0.0  # of earlier sessions; at checkpoint
        self.recorded: list[tuple[int, dict[str, Tensor]]] = []  # not read from the device yet
        n = self.budget["evaluations"]
        self.marks = {-(-feed.rounds * i // n) for i in range(1, n + 1)}
        self.stride = max(1, feed.rounds // self.budget["curve_points"])
        self.wanted: set[str] = set()  # players whose next turn belongs to a curve

    # -- the loop ----------------------------------------------------------------------------------

    def train(self) -> list[Outcome]:
        """Play to the end of the budget or until the listener stops; return every outcome."""
        feed, rounds = self.gan.feed, self.gan.rounds
        play = self.play or self.gan.play
        self.resume()
        self.start = time.perf_counter()
        self.listener.started(self.images(feed.rounds))
        while feed.played < feed.rounds and not self.listener.stop and self.alive():
            feed.refill()
            stages = rounds[feed.played % len(rounds)]
            record = self.due(stages)
            signals = play(stages, record)
            feed.count()
            if record:
                self.recorded.append((feed.played, signals))
            if feed.played in self.marks:
                self.evaluate()
            self.tell()
        return self.end()

    def due(self, stages: Round) -> bool:
        """Return whether this round is a point of the curves; every player gets one a stride."""
        if self.gan.feed.played % self.stride == 0:
            self.wanted = {"G", "D"}
        movers = {turn.player for stage in stages for turn in stage}
        found = bool(self.wanted & movers)
        self.wanted -= movers
        return found

    def tell(self) -> None:
        """Show progress and save, both by the clock."""
        now = self.elapsed()
        if now - self.shown > SHOW_SECONDS and self.recorded:
            self.shown = now
            signals = {name: float(x.mean()) for name, x in self.recorded[-1][1].items()}
            self.listener.interval(self.images(self.gan.feed.played), now, signals)
        if now - self.saved > SAVE_SECONDS:
            self.save()

    def end(self) -> list[Outcome]:
        """Close the books."""
        if self.gan.feed.played < self.gan.feed.rounds and self.alive():
            self.save()  # stopped on request: to be continued
            return self.outcomes
        self.drain()
        for slot, outcome in enumerate(self.outcomes):
            outcome.status = outcome.status or "done"
            self.account(outcome)
            self.listener.finished(slot, outcome)
        return self.outcomes

    def images(self, n: int) -> int:
        """Return the real images shown in n rounds."""
        return images_after(n, self.gan.recipe.batch_size, self.gan.rounds)

    def elapsed(self) -> float:
        """Return wall seconds, those of earlier sessions included."""
        return self.seconds + time.perf_counter() - self.start

    def alive(self) -> bool:
        """Return whether any trial has not failed."""
        return any(outcome.status is None for outcome in self.outcomes)

    def account(self, outcome: Outcome) -> None:
        """Write what the trial has cost; a stack shares its device time evenly."""
        outcome.wall_seconds = self.elapsed()
        outcome.device_seconds = outcome.wall_seconds / len(self.outcomes)
        if outcome.status != "diverged":
            outcome.images = self.images(self.gan.feed.played)
        if self.gan.feed.clock.is_cuda:
            peak = torch.cuda.max_memory_allocated() // len(self.outcomes)
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        outcome.peak_memory_bytes = peak

    # -- points ------------------------------------------------------------------------------------

    def evaluate(self) -> None:
        """Score every generator of every trial that is alive, then save."""
        self.drain()
        self.fail_where_not_finite()
        generators = self.gan.tricks.sampler({"raw": self.gan.G.theta}, self.gan)
        images = self.images(self.gan.feed.played)
        alive = [slot for slot, outcome in enumerate(self.outcomes) if outcome.status is None]
        if alive:
            for name, theta in generators.items():
                samples = generate(self.gan, theta, self.budget["samples"])[alive]
                self.score(alive, name, samples, images)
            if self.gan.feed.played == self.gan.feed.rounds:
                # of the last generator, the averaged one where there is one
                self.fail_where_collapsed(alive, samples)
        if self.gan.feed.played < self.gan.feed.rounds:
            self.prune()
            self.save()

    def prune(self) -> None:
        """End every trial that is alive, if a listener says so."""
        reason = self.listener.pruned(self.outcomes)
        for outcome in self.outcomes:
            if reason is not None and outcome.status is None:
                outcome.status, outcome.reason = "pruned", reason

    def score(self, slots: Sequence[int], generator: str, samples: Tensor, images: int) -> None:
        """Write the metrics of one generator of the trials in these slots."""
        grids = samples[:, :GRID].cpu().numpy()
        for slot, grid, scores in zip(slots, grids, self.judge.score(samples), strict=True):
            self.outcomes[slot].metrics += [
                {
                    "images": images,
                    "generator": generator,
                    "metric": s.metric,
                    "value": s.value,
                    "resample_sd": s.resample_sd,
                    "protocol": s.protocol,
                }
                for s in scores
            ]
            self.outcomes[slot].samples[generator] = grid
            self.listener.evaluated(images, slot, generator, scores)

    def fail_where_collapsed(self, slots: Sequence[int], samples: Tensor) -> None:
        """Mark the trials whose last samples are all alike; their metrics stay."""
        for slot, reason in zip(slots, self.judge.collapsed(samples), strict=True):
            if reason is not None:
                self.outcomes[slot].status, self.outcomes[slot].reason = "collapsed", reason

    def fail_where_not_finite(self) -> None:
        """Mark the trials whose parameters are not numbers any more."""
        finite = self.gan.G.theta.isfinite().all(1) & self.gan.D.theta.isfinite().all(1)
        for outcome, good in zip(self.outcomes, finite.tolist(), strict=True):
            if not good and outcome.status is None:
                outcome.status, outcome.images = "diverged", self.images(self.gan.feed.played)
                outcome.reason = (
                    "A parameter is not finite; it became so in the interval that ended at "
                    f"{outcome.images} images."
                )

    def drain(self) -> None:
        """Read the recorded signals from the device."""
        for played, signals in self.recorded:
            images = self.images(played)
            for name, x in signals.items():
                for outcome, value in zip(self.outcomes, x.tolist(), strict=True):
                    outcome.curves.append({"images": images, "signal": name, "value": value})
        self.recorded = []

    # -- safe to kill ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write a checkpoint, if there is a place for one."""
        self.saved = self.elapsed()
        if self.path is None:
            return
        self.drain()
        books = [
            {**vars(o), "samples": {k: torch.from_numpy(v) for k, v in o.samples.items()}}
            for o in self.outcomes
        ]
        content = {"gan": self.gan.state_dict(), "outcomes": books, "seconds": self.saved}
        checkpoint.save(self.path, self.identity, content)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        content = checkpoint.load(self.path, self.identity) if self.path else None
        if content is None:
            return
        self.gan.load_state_dict(content["gan"])
        self.gan.feed.resume()
        self.seconds = self.saved = self.shown = content["seconds"]
        for outcome, book in zip(self.outcomes, content["outcomes"], strict=True):
            book["samples"] = {k: v.numpy() for k, v in book["samples"].items()}
            vars(outcome).update(book)
