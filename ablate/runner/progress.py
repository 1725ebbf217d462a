"""How a trial is doing: a bar on a terminal, a line now and then elsewhere, on standard error."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from ablate.screen.duration import about
from ablate.screen.letters import console as on
from ablate.screen.letters import say
from ablate.screen.meter import Meter, Pace
from ablate.train.listener import Listener
from ablate.train.outcome import Outcome

LINE_SECONDS = 10.0
SHOWN = ("loss_d", "loss_g")


def shower(labels: Sequence[str], console: Console | None = None) -> Listener:
    """Return the listener that suits where progress goes, given a label of every trial."""
    console = console or on(sys.stderr)
    return Live(labels, console) if console.is_interactive else Lines(labels)


def title(labels: Sequence[str]) -> str:
    """Return the name of a stack."""
    return labels[0] if len(labels) == 1 else f"{labels[0]} and {len(labels) - 1} more"


def first_score(generator: str, scores: list[Any]) -> str:
    """Return the leading metric in words."""
    if not scores:
        return ""
    name = scores[0].metric + (f" ({generator})" if generator != "raw" else "")
    return f"{name} {number(scores[0].value)}"


def number(value: float) -> str:
    """Return a number with four digits."""
    return "nan" if math.isnan(value) else f"{value:.4g}"


def mean_of(images: Sequence[int]) -> int:
    """Return the images that a trial was shown, in the mean."""
    return sum(images) // len(images)


def losses(signals: Mapping[str, float]) -> str:
    """Return the losses in words."""
    return "  ".join(f"{name} {number(signals[name])}" for name in SHOWN if name in signals)


class Live(Listener):
    """A bar that moves, with images/s, losses, the latest metric, and the time left."""

    def __init__(self, labels: Sequence[str], console: Console) -> None:
        self.shown, self.total = [0] * len(labels), 0
        self.losses = self.score = ""
        self.meter = Meter(title(labels), "images", console)
        self.meter.start()

    def started(self, images: int) -> None:
        """Set the length of the bar."""
        self.total = images

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Move the bar."""
        self.losses = losses(signals)
        self.move(dict(enumerate(images)))

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Show the latest metric, of several trials the first one's."""
        if trial == 0:
            self.score = first_score(generator, scores)
        self.move({trial: images})

    def finished(self, trial: int, outcome: Outcome) -> None:
        """Fill the bar with what was trained."""
        self.move({trial: outcome.images})

    def move(self, images: Mapping[int, int]) -> None:
        """Take what some trials were shown; the bar is the mean of all."""
        for trial, n in images.items():
            self.shown[trial] = n
        words = filter(None, (self.losses, self.score))
        self.meter.move(mean_of(self.shown), self.total, words)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.meter.stop()


class Lines(Listener):
    """A line every ten seconds and at every evaluation, for logs."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels, self.pace = labels, Pace()
        self.total, self.mean, self.said = 0, 0, time.monotonic()

    def started(self, images: int) -> None:
        """Say what is coming."""
        self.total = images
        self.say(f"{images:,} images")

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Say where we are, now and then."""
        before, self.mean = self.mean, mean_of(images)
        self.pace.add(self.mean - before)
        if time.monotonic() - self.said > LINE_SECONDS:
            self.say(
                *[f"{self.mean:,} of {self.total:,} images", *self.speed(), losses(signals)],
            )

    def speed(self) -> list[str]:
        """Return how fast, and how long it may still take, as far as it is known."""
        rate = self.pace.rate
        if rate is None:
            return []
        return [f"{rate:,.0f} images/s", f"about {about((self.total - self.mean) / rate)} left"]

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Say the leading metric."""
        label = self.labels[trial]
        told = f"{images:,} of {self.total:,} images"
        self.say(told, first_score(generator, scores), label=label)

    def say(self, *told: str, label: str | None = None) -> None:
        """Print a line of one trial, or of all."""
        self.said = time.monotonic()
        words = "; ".join(filter(None, told))
        say(f"{label or title(self.labels)}: {words}", sys.stderr)
