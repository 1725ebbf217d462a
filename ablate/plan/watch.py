"""Watching a study from outside its workers: what is finished, what is under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ablate.plan.claim import progress
from ablate.plan.files import ended, unfinished
from ablate.plan.pause import status_of
from ablate.trial import Trial

LOOK_SECONDS = 0.5


class Watch:
    """Within `with Watch(...)`, every trial that ends is a line, and on a terminal a bar moves."""

    def __init__(self, folder: Path, trials: Sequence[Trial], images: int) -> None:
        self.folder, self.trials, self.images = folder, trials, images
        self.console = Console(highlight=False)
        self.todo = unfinished(folder, trials)
        self.first: tuple[int, float] | None = None
        self.told: set[str] = set()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look_on, daemon=True)
        self.bar = Progress(
            TextColumn("[bold]{task.fields[trials]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        total = len(trials) * images
        self.id = self.bar.add_task("", total=total, trials="", pace="")

    def __enter__(self) -> Watch:
        self.bar.start()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        self.look()
        self.bar.stop()

    def look_on(self) -> None:
        """Look now and then until the study ends."""
        while not self.over.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Say what has ended since the last look, and move the bar."""
        there = ended(self.folder)
        for trial in [t for t in self.todo if t.id in there]:
            self.todo.remove(trial)
            self.tell(trial)
        if not self.console.is_terminal:
            return
        done = len(self.trials) - len(self.todo)
        todo = {trial.id for trial in self.todo}
        under_way = sum(n for trial, n in progress(self.folder).items() if trial in todo)
        images = done * self.images + under_way
        if self.first is None and under_way:  # workers take seconds to start
            self.first = images, time.monotonic()
        self.bar.update(
            self.id,
            completed=images,
            trials=f"{done}/{len(self.trials)} trials",
            pace=self.pace(images),
        )

    def pace(self, images: int) -> str:
        """Return images a second since the first worker began."""
        if self.first is None:
            return "workers are starting"
        seconds = time.monotonic() - self.first[1]
        return f"{(images - self.first[0]) / seconds:,.0f} images/s" if seconds > 1 else ""

    def tell(self, trial: Trial) -> None:
        """Print what a trial has come to, and once what is to be known about its stack."""
        try:
            status = status_of(self.folder, trial)
        except FileNotFoundError:
            return  # moved aside by `ablate retry` since our look
        note = status.get("note")
        if note and note not in self.told:
            self.told.add(note)
            self.console.print(f"Note: {note}", markup=False)
        self.console.print(self.line(trial, status), markup=False)

    def line(self, trial: Trial, status: Mapping[str, Any]) -> str:
        """Return what a finished trial has come to."""
        why = f" ({status['reason']})" if status["reason"] else ""
        count = f"{len(self.trials) - len(self.todo)}/{len(self.trials)}"
        return (
            f"{count:>7}  {trial.arm}, seed {trial.seed}: {status['status']}{why}, "
            f"{status['wall_seconds']:.1f} s"
        )
