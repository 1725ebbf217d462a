"""Watching a study from outside its workers: what is finished, what is under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate.errors import UserError
from ablate.plan.files import unfinished
from ablate.plan.pause import status_of
from ablate.plan.search_file import searches
from ablate.plan.tries import Tries, read_tries
from ablate.screen.duration import lasted
from ablate.screen.letters import counted, say
from ablate.screen.meter import Meter, Pace
from ablate.store.claims import dead, living
from ablate.store.layout import ended
from ablate.store.plan import STUDY, TUNED, read_plan
from ablate.store.record import Damaged
from ablate.trial import Trial

LOOK_SECONDS = 0.5
MOST_TRIED = 4  # settings that are shown while they are tried


class Watch:
    """Within `with Watch(...)`, every trial that ends is a line, and on a terminal a bar moves."""

    def __init__(self, folder: Path, trials: Sequence[Trial], images: int) -> None:
        self.folder, self.trials, self.images = folder, trials, images
        self.planned = trials
        self.todo = unfinished(folder, trials)
        self.told: set[str] = set()  # notes
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look_on, daemon=True)
        self.meter = Meter("", "images")
        self.searches = searches(folder)
        self.settings = dict.fromkeys(self.searches, 0)  # those that were told of, by arm
        self.tries: list[Tries] = []
        self.shown: dict[str, int] = {}  # trial -> images at the last look

    def __enter__(self) -> Watch:
        self.meter.start()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
        try:
            self.look()
        finally:
            self.meter.words = []  # nothing is under way any more
            self.meter.stop()

    def look_on(self) -> None:
        """Look now and then until the study ends, or nobody can be told any more."""
        while not self.over.wait(LOOK_SECONDS):
            try:
                self.look()
            except (OSError, UserError):
                return  # the study goes on; what prints next in the main thread will say so

    def look(self) -> None:
        """Say what has ended since the last look, and move the bar."""
        if self.searches:
            self.look_at_search()
        there = ended(self.folder)
        for trial in [t for t in self.todo if t.id in there]:
            self.todo.remove(trial)
            self.tell(trial)
        if self.meter.is_drawn:
            self.move(there)

    def look_at_search(self) -> None:
        """Say which settings have ended; after the search, take in the trials that follow."""
        self.tries = read_tries(self.folder)
        for tries in self.tries:
            known = self.settings.get(tries.arm, 0)
            for candidate in tries.over[known:]:
                say(f"         {tries.outcome(candidate)}")
            self.settings[tries.arm] = len(tries.over)
        if self.trials is self.planned and (self.folder / TUNED / STUDY).is_file():
            known_ids = {trial.id for trial in self.planned}  # where nothing better was found
            tuned = [t for t in read_plan(self.folder / TUNED) if t.id not in known_ids]
            self.trials = [*self.planned, *tuned]
            self.todo += unfinished(self.folder, tuned)

    # -- the bar -----------------------------------------------------------------------------------

    def move(self, there: set[str]) -> None:
        """Move the bar to where the study is."""
        held = self.progress(living)
        begun = self.progress(dead) | held  # a dead worker's trials go on where they were saved
        searched = sum(tries.images(begun, there, self.images) for tries in self.tries)
        done = len(self.trials) - len(self.todo)
        under_way = sum(begun.get(trial.id, 0) for trial in self.todo)
        self.meter.title = f"{done}/{len(self.trials)} trials"
        if not held:
            self.meter.pace = Pace()  # nobody is at work: no rate, and no time left
        images = done * self.images + under_way + searched
        self.meter.move(images, self.total, self.words(held), self.fresh(held, there))

    @property
    def total(self) -> int:
        """Images of the study, the search and the trials that follow it included."""
        waiting = self.searches.values() if self.trials is self.planned else ()
        tuned = sum(len(search["seeds"]) for search in waiting)
        budgets = sum(search["budget_images"] for search in self.searches.values())
        return (len(self.trials) + tuned) * self.images + budgets

    def progress(self, told: Callable[[Path], dict[str, dict[str, Any]]]) -> dict[str, int]:
        """Return trial -> images shown so far, of what `told` workers have: living, or dead."""
        found = told(self.folder)
        if self.searches:
            found |= told(self.folder / TUNED)
        return {trial: int(about.get("images", 0)) for trial, about in found.items()}

    def fresh(self, held: Mapping[str, int], there: set[str]) -> float:
        """Return the images shown since the last look, trial by trial.

        A trial whose worker died goes back to its checkpoint, and what is trained twice counts
        twice: it is a rate of work, never below zero.
        """
        now = {trial: self.images for trial in self.shown if trial in there} | dict(held)
        new = sum(max(0, n - self.shown.get(trial, 0)) for trial, n in now.items())
        self.shown = dict(held)
        return new

    def words(self, held: Mapping[str, int]) -> list[str]:
        """Return what is under way: workers, and the settings that a search is trying."""
        waiting = self.todo or (self.searches and self.trials is self.planned)
        if not held:
            return ["workers are starting"] if waiting else []
        told = [f"{counted(len(held), 'trial')} under way"]
        tried = [line for tries in self.tries for line in tries.under_way(held)]
        more = [f"and {len(tried) - MOST_TRIED} more"] if len(tried) > MOST_TRIED else []
        return [*told, *tried[:MOST_TRIED], *more]

    # -- lines -------------------------------------------------------------------------------------

    def tell(self, trial: Trial) -> None:
        """Print what a trial has come to, and once what is to be known about its stack."""
        try:
            status = status_of(self.folder, trial)
        except Damaged:
            return  # moved aside by `ablate retry` since our look, or named when the sweep ends
        note = status.get("note")
        if note and note not in self.told:
            self.told.add(note)
            say(f"Note: {note}")
        say(self.line(trial, status))

    def line(self, trial: Trial, status: Mapping[str, Any]) -> str:
        """Return what a finished trial has come to."""
        why = f" ({status['reason']})" if status["reason"] else ""
        count = f"{len(self.trials) - len(self.todo)}/{len(self.trials)}"
        tuned = "" if trial in self.planned else "tuned, "
        return (
            f"{count:>7}  {trial.arm}, {tuned}seed {trial.seed}: {status['status']}{why}, "
            f"{lasted(status['wall_seconds'])}"
        )
