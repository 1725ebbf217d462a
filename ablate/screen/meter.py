"""A bar on standard error: what share is done, how fast, how long it may still take.

A file gets no bar. `Pace` counts what was done, so that work which is lost with a worker and done
again never makes a rate negative.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ablate.screen.duration import about
from ablate.screen.grid import gathered
from ablate.screen.letters import console, spelled

BAR = 20  # columns
BESIDE = BAR + 26  # that a bar and what stands behind it take
SURE_SECONDS = 2.0  # before which a rate says little


class Pace:
    """How much is done in a second since something was done for the first time."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.amount = 0.0

    def add(self, amount: float) -> None:
        """Take in what was done since the last look; of the first it is not known how fast."""
        if self.began is not None:
            self.amount += amount
        elif amount:
            self.began = monotonic()

    @property
    def rate(self) -> float | None:
        """A second; None as long as it says little."""
        if self.began is None or not self.amount:
            return None
        seconds = monotonic() - self.began
        return self.amount / seconds if seconds > SURE_SECONDS else None


class Meter:
    """A bar that moves within `with Meter(...)`, or between `start` and `stop`.

    Attributes:
        is_drawn: Whether there is a terminal to draw it on.
    """

    def __init__(self, title: str, unit: str = "", stream: Console | None = None) -> None:
        """Draw nothing yet.

        Args:
            title: What is done; it stands in front of the bar.
            unit: What is counted, for a rate; none is told without.
            stream: Where to, standard error by default.
        """
        self.console = stream or console(sys.stderr)
        self.is_drawn = self.console.is_interactive
        self.title, self.unit, self.pace = title, unit, Pace()
        self.done, self.total = 0.0, 0.0
        self.words: Sequence[str] = ()
        self.live = Live(
            console=self.console,
            get_renderable=self.drawn,
            refresh_per_second=4,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),  # not out of a file
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to draw."""
        if self.is_drawn:
            self.live.start()

    def stop(self) -> None:
        """Leave the terminal as it was, with the bar where it stands."""
        if self.is_drawn:
            self.live.stop()

    def move(
        self, done: float, total: float, words: Iterable[str] = (), fresh: float | None = None
    ) -> None:
        """Take what is done.

        Args:
            done: Of `total`.
            total: All of it.
            words: What stands below the bar.
            fresh: Done since the last move, where that is not the difference.
        """
        self.pace.add(max(0.0, done - self.done) if fresh is None else fresh)
        self.done, self.total, self.words = done, total, list(words)

    def drawn(self) -> RenderableType:
        """Return the title, the bar and the words in as many lines as they need."""
        share = min(1.0, self.done / self.total) if self.total else 0.0
        bar = ProgressBar(1.0, share, width=BAR)
        cells: list[RenderableType] = [bar, Text(f"{100 * share:3.0f} %"), Text(self.left())]
        rate, width = self.pace.rate, self.console.width
        told = [*self.words]
        if self.unit and rate is not None:
            told.insert(0, f"{rate:,.0f} {self.unit}/s")
        texts = [Text(spelled(words, self.console.encoding)) for words in told]
        title = Text(spelled(self.title, self.console.encoding), "bold")
        above = title.cell_len + BESIDE > width
        row = Table.grid(padding=(0, 1))
        row.add_row(*cells if above else [title, *cells])
        return Group(*[title] * above, row, *gathered(texts, width))

    def left(self) -> str:
        """Return how long it may still take."""
        rate, rest = self.pace.rate, self.total - self.done
        return f"about {about(rest / rate)} left" if rate and rest > 0 else ""
