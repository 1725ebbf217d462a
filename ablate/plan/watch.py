"""Watching a study from outside its workers: what is finished, what is under way."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ablate.plan.claim import progress
from ablate.plan.files import STUDY, TUNED, ended, read_plan, searches, unfinished
from ablate.plan.pause import status_of
from ablate.search.book import Candidate, read_book
from ablate.trial import Trial

LOOK_SECONDS = 0.5


class Watch:
    """Within `with Watch(...)`, every trial that ends is a line, and on a terminal a bar moves."""

    def __init__(self, folder: Path, trials: Sequence[Trial], images: int) -> None:
        self.folder, self.trials, self.images = folder, trials, images
        self.planned = trials
        self.console = Console(highlight=False, soft_wrap=True)  # whole lines, also in a file
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
        self.searches = searches(folder)
        self.settings = dict.fromkeys(self.searches, 0)  # those that were told of, by arm
        self.searched = 0  # images
        self.id = self.bar.add_task("", total=self.total, trials="", pace="")

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

    @property
    def total(self) -> int:
        """Images of the study, the search and the trials that follow it included."""
        waiting = self.searches.values() if self.trials is self.planned else ()
        tuned = sum(len(search["seeds"]) for search in waiting)
        budgets = sum(search["budget_images"] for search in self.searches.values())
        return (len(self.trials) + tuned) * self.images + budgets

    def look_at_search(self) -> None:
        """Say which settings have ended; after the search, take in the trials that follow."""
        self.searched = 0
        for arm, search in self.searches.items():
            book = read_book(self.folder / "search" / f"{search['key']}.json")
            self.searched += book.images
            told = [c for c in book.candidates if c.state]
            for candidate in told[self.settings[arm] :]:
                spent = sum(c.images for c in told[: candidate.number + 1])
                share = spent / search["budget_images"]
                line = setting_line(arm, candidate, share, search["is_ratio"])
                self.console.print(line, markup=False)
            self.settings[arm] = len(told)
        if self.trials is self.planned and (self.folder / TUNED / STUDY).is_file():
            known = {trial.id for trial in self.planned}  # where the search found nothing better
            tuned = [t for t in read_plan(self.folder / TUNED) if t.id not in known]
            self.trials = [*self.planned, *tuned]
            self.todo += unfinished(self.folder, tuned)

    def look(self) -> None:
        """Say what has ended since the last look, and move the bar."""
        if self.searches:
            self.look_at_search()
        there = ended(self.folder)
        for trial in [t for t in self.todo if t.id in there]:
            self.todo.remove(trial)
            self.tell(trial)
        if not self.console.is_terminal:
            return
        done = len(self.trials) - len(self.todo)
        todo = {trial.id for trial in self.todo}
        under_way = sum(n for trial, n in self.progress().items() if trial in todo)
        images = done * self.images + under_way + self.searched
        if self.first is None and under_way:  # workers take seconds to start
            self.first = images, time.monotonic()
        self.bar.update(
            self.id,
            completed=images,
            total=self.total,
            trials=f"{done}/{len(self.trials)} trials",
            pace=self.pace(images),
        )

    def progress(self) -> dict[str, int]:
        """Return trial -> images shown so far, of what living workers have."""
        found = progress(self.folder)
        return found | progress(self.folder / TUNED) if self.searches else found

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
        tuned = "" if trial in self.planned else "tuned, "
        return (
            f"{count:>7}  {trial.arm}, {tuned}seed {trial.seed}: {status['status']}{why}, "
            f"{status['wall_seconds']:.1f} s"
        )


def setting_line(arm: str, candidate: Candidate, share: float, is_ratio: bool) -> str:
    """Return what a setting has come to; a mean of logarithms is told as the metric it is of."""
    what = candidate.refused or candidate.state.lower()
    if candidate.failed and not candidate.refused:
        what = f"failed under {candidate.failed} seeds"
    elif not candidate.refused:
        value = math.exp(candidate.values[0]) if is_ratio else candidate.values[0]
        what += f" at {value:.4g}"
    return f"         {arm}, setting {candidate.number}: {what}; {share:.0%} of its budget"
