"""How a trial is doing: a live line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ablate.train.loop import Listener, Outcome

LINE_SECONDS = 10.0
SHOWN = ("loss_d", "loss_g")


def shower(labels: Sequence[str], console: Console | None = None) -> Listener:
    """Return the listener that suits where output goes, given a label of every trial."""
    console = console or Console()
    return Live(labels, console) if console.is_terminal else Lines(labels)


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


class Pace:
    """Images a second since this session began, where a resumed trial did not begin at zero."""

    def __init__(self) -> None:
        self.first: tuple[int, float] | None = None

    def __call__(self, images: int) -> str:
        """Return images a second in words."""
        now = time.monotonic()
        if self.first is None:
            self.first = images, now
            return ""
        seconds = now - self.first[1]
        return f"{(images - self.first[0]) / seconds:,.0f} images/s" if seconds > 0 else ""


class Live(Listener):
    """A bar that moves, with images/s, losses, the latest metric, and the time left."""

    def __init__(self, labels: Sequence[str], console: Console) -> None:
        self.pace, self.shown = Pace(), [0] * len(labels)
        self.bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[pace]}"),
            TextColumn("[dim]{task.fields[losses]}"),
            TextColumn("[cyan]{task.fields[score]}"),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self.bar.start()
        self.id = self.bar.add_task(title(labels), total=None, pace="", losses="", score="")

    def started(self, images: int) -> None:
        """Set the length of the bar."""
        self.bar.update(self.id, total=images)

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Move the bar."""
        self.move(dict(enumerate(images)), losses=losses(signals))

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Show the latest metric, of several trials the first one's."""
        score = {"score": first_score(generator, scores)} if trial == 0 else {}
        self.move({trial: images}, **score)

    def finished(self, trial: int, outcome: Outcome) -> None:
        """Fill the bar with what was trained."""
        self.move({trial: outcome.images})

    def move(self, images: Mapping[int, int], **words: Any) -> None:
        """Take what some trials were shown; the bar is the mean of all."""
        for trial, n in images.items():
            self.shown[trial] = n
        mean = mean_of(self.shown)
        self.bar.update(self.id, completed=mean, pace=self.pace(mean), **words)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.bar.stop()


class Lines(Listener):
    """A line every ten seconds and at every evaluation, for logs."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels, self.pace = labels, Pace()
        self.total, self.said = 0, time.monotonic()

    def started(self, images: int) -> None:
        """Say what is coming."""
        self.total = images
        self.say(f"{images:,} images")

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Say where we are, now and then."""
        mean = mean_of(images)
        pace = self.pace(mean)
        if time.monotonic() - self.said > LINE_SECONDS:
            left = (self.total - mean) * seconds / mean
            self.say(f"{mean:,}/{self.total:,}  {pace}  {losses(signals)}  {left:,.0f} s left")

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Say the leading metric."""
        self.say(f"{images:,}/{self.total:,}  {first_score(generator, scores)}", self.labels[trial])

    def say(self, text: str, label: str | None = None) -> None:
        """Print a line of one trial, or of all."""
        self.said = time.monotonic()
        print(f"{label or title(self.labels)}: {text}", file=sys.stdout, flush=True)
