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
from statistics import fmean
from typing import Any

import torch

from ablate.core.signals import Point
from ablate.core.step import Gan
from ablate.train import checkpoint
from ablate.train.crash import training
from ablate.train.evaluator import Judge, Score
from ablate.train.ladder import Play
from ablate.train.listener import Listener
from ablate.train.outcome import Outcome
from ablate.train.sample import generate
from ablate.train.schedule import images_after
from ablate.train.slots import room, take
from ablate.train.streams import Rounds, to_end

GRID = 64  # samples that are kept of every generator
SHOW_SECONDS = 0.5  # between two looks of a listener
SAVE_SECONDS = 60.0  # between two checkpoints, where evaluations are further apart


Make = Callable[[Sequence[int]], Gan]


@dataclass
class Run:
    """Trials of one structure on their way through their budget, K of them at a time.

    A trial that ends before its budget does frees its slot. Waiting trials take it; where none is
    left, the stack moves to a smaller one as soon as half of it is free, unless it is steady.

    Attributes:
        gan: K slots; `gan.feed.rounds` is the length of a trial.
        budget: `evaluations`, `samples` an evaluation and `curve_points`.
        judge: Scores samples.
        path: Where the checkpoint lies, None for none.
        identity: Names the trials; a checkpoint of another name is refused.
        listener: Is told.
        ready: Returns what plays the rounds of a stack, by default its own `play`, and a note.
        make: Returns a stack of some of the trials on the CPU, None where all stay to the end.
        slots: The trial in each of `gan`'s slots or IDLE, by default one after the other.
        size: How many trials there are, by default one a slot.
        is_steady: Whether the stack keeps its slots though nobody waits for them.
    """

    gan: Gan
    budget: Mapping[str, Any]
    judge: Judge
    path: Path | None = None
    identity: str = ""
    listener: Listener = field(default_factory=Listener)
    ready: Callable[[Gan], tuple[Play, str]] = lambda gan: (gan.play, "")
    make: Make | None = None
    slots: list[int] = field(default_factory=list)
    size: int = 0
    is_steady: bool = False

    def __post_init__(self) -> None:
        feed = self.gan.feed
        self.slots = self.slots or list(range(len(feed.seed)))
        self.outcomes = [Outcome() for _ in range(self.size or len(self.slots))]
        self.seconds, self.saved, self.shown = 0.0, 0.0, 0.0  # of earlier sessions; at checkpoint
        self.shared = 0.0  # seconds that were shared out among the trials
        self.recorded: list[tuple[dict[int, int], Point]] = []  # still on the device
        self.marks, self.points = self.after("evaluations"), self.after("curve_points")
        self.look()

    def after(self, key: str) -> set[int]:
        """Return the rounds after which something is due: as many as the budget says, the last."""
        rounds, n = self.gan.feed.rounds, int(self.budget[key])
        return {-(-rounds * i // n) for i in range(1, n + 1)}

    # -- the loop ----------------------------------------------------------------------------------

    def train(self) -> list[Outcome]:
        """Play to the end of all budgets or until the listener stops; return every outcome."""
        return to_end(self.rounds())

    def rounds(self) -> Rounds[list[Outcome]]:
        """Do what `train` does, with a rest after every round."""
        self.resume()
        self.start = time.perf_counter()
        self.listener.started(self.images(self.gan.feed.rounds))
        self.enter(self.living)
        play, self.note = self.ready(self.gan)
        while (self.living or self.expected) and not self.listener.stop:
            if self.is_time_to_move():
                play = self.move(play)
            self.round(play)
            self.tell()
            yield
        if any(outcome.status is None for outcome in self.outcomes):
            self.save()  # stopped on request: to be continued
        return self.outcomes

    def round(self, play: Play) -> None:
        """Play a round, and what belongs to it."""
        self.step(play)
        marked = [slot for n, slots in self.lengths() if n in self.marks for slot in slots]
        if marked:
            self.evaluate(marked)

    @training()
    def step(self, play: Play) -> None:
        """Play a round, and record a point of the curves where one is due."""
        feed, rounds = self.gan.feed, self.gan.rounds
        feed.refill()
        play(rounds[feed.played % len(rounds)])
        feed.count()
        due = {slot: n for n, slots in self.lengths() if n in self.points for slot in slots}
        if due:
            self.recorded.append((due, self.gan.signals.point([*due])))

    def lengths(self) -> list[tuple[int, list[int]]]:
        """Return how many rounds the trials in some slots have played, with the slots."""
        feed = self.gan.feed
        return [(feed.played - cohort.began, cohort.slots) for cohort in feed.cohorts]

    def tell(self) -> None:
        """Show progress and save, both by the clock."""
        now = self.elapsed()
        if now - self.shown > SHOW_SECONDS and self.recorded and self.living:
            self.shown = now
            self.listener.interval(self.progress(), now, self.signals())
        if now - self.saved > SAVE_SECONDS:
            self.save()

    def signals(self) -> dict[str, float]:
        """Return the signals of the latest point, as means over the trials that it is of."""
        due, point = self.recorded[-1]
        read = self.read(point)
        rows = [read[slot] for slot in self.living if slot in due]
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: fmean(row[name][0] for row in rows if name in row) for name in names}

    def progress(self) -> list[int]:
        """Return the images that every trial was shown so far."""
        shown = [outcome.images for outcome in self.outcomes]
        for slot in self.living:
            shown[self.slots[slot]] = self.images(self.played(slot))
        return shown

    def played(self, slot: int) -> int:
        """Return the rounds that the trial in a slot has played."""
        return self.gan.feed.played - self.gan.feed.began[slot]

    def images(self, n: int) -> int:
        """Return the real images shown in n rounds."""
        return images_after(n, self.gan.recipe.batch_size, self.gan.rounds)

    def elapsed(self) -> float:
        """Return wall seconds, those of earlier sessions included."""
        return self.seconds + time.perf_counter() - self.start

    def look(self) -> None:
        """See which slots have a trial that has not ended, and which trials wait for a slot."""
        left = [n for n, outcome in enumerate(self.outcomes) if outcome.status is None]
        self.living = [slot for slot, n in enumerate(self.slots) if n in left]
        self.expected = [n for n in left if n not in self.slots]

    def finish(self, slot: int, status: str, reason: str | None = None) -> None:
        """Close the books of a trial."""
        outcome = self.outcomes[self.slots[slot]]
        outcome.status, outcome.reason, outcome.note = status, reason, self.note
        outcome.images = self.images(self.played(slot))
        outcome.wall_seconds = self.elapsed() - (outcome.began or 0.0)
        outcome.peak_memory_bytes = self.peak_memory()
        self.look()
        self.listener.finished(self.slots[slot], outcome)

    def peak_memory(self) -> int:
        """Return a trial's share of the most that was ever held; on a CPU that of the process."""
        if self.gan.feed.clock.is_cuda:
            return torch.cuda.max_memory_allocated() // len(self.slots)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def share(self) -> None:
        """Give every trial that is alive its share of the time that has passed."""
        now, living = self.elapsed(), self.living
        for slot in living:
            self.outcomes[self.slots[slot]].device_seconds += (now - self.shared) / len(living)
        self.shared = now

    # -- slots -------------------------------------------------------------------------------------

    def enter(self, slots: Sequence[int]) -> None:
        """Write down when trials got their slots."""
        for slot in slots:
            outcome = self.outcomes[self.slots[slot]]
            if outcome.began is None:
                outcome.began = self.elapsed()

    def is_time_to_move(self) -> bool:
        """Return whether slots are free for others, where the schedule begins anew.

        A trial begins with the schedule; what a checkpoint holds decides, so that a run that was
        stopped moves where the other would have.
        """
        free = len(self.slots) - len(self.living)
        if self.make is None or not free or self.gan.feed.played % len(self.gan.rounds):
            return False
        if self.expected:
            return True
        return not self.is_steady and room(len(self.living)) < len(self.slots)

    def move(self, play: Play) -> Play:
        """Let waiting trials in, or move into a smaller stack; return what plays it."""
        assert self.make is not None
        self.share()
        self.drain()
        free = [slot for slot in range(len(self.slots)) if slot not in self.living]
        if self.expected:
            self.let_in(free[: len(self.expected)])
        else:
            self.shrink(free[: room(len(self.living)) - len(self.living)])
            play, self.note = self.ready(self.gan)
        self.look()
        return play

    def let_in(self, free: Sequence[int]) -> None:
        """Give slots to the trials that wait longest; the stack keeps its memory's addresses."""
        assert self.make is not None
        coming = self.expected[: len(free)]
        take(self.gan, free, self.make(coming), range(len(coming)))
        for slot, n in zip(free, coming, strict=True):
            self.slots[slot] = n
        self.gan.feed.begin(free)
        self.enter(free)

    def shrink(self, padding: Sequence[int]) -> None:
        """Move what is alive into a stack of a fixed size, with some that have ended beside it."""
        assert self.make is not None
        kept, large = sorted([*self.living, *padding]), self.gan
        self.slots = [self.slots[slot] for slot in kept]
        self.gan = self.make(self.slots)
        self.gan.pixels = large.pixels
        take(self.gan, range(len(kept)), large, kept)
        self.gan.to(large.feed.clock.device).feed.resume()

    # -- points ------------------------------------------------------------------------------------

    def evaluate(self, slots: Sequence[int]) -> None:
        """Score every generator of those trials in some slots that are alive, then save."""
        self.drain()
        self.share()
        self.fail_where_not_finite()
        due = sorted(set(slots) & set(self.living))
        last = {slot for slot in due if self.played(slot) == self.gan.feed.rounds}
        if due:
            collapsed = self.score(due)
            self.share()
            for slot, reason in zip(due, collapsed, strict=True):
                if slot in last:
                    self.finish(slot, "collapsed" if reason else "done", reason)
        if set(due) - last:
            self.prune()
        if any(outcome.status is None for outcome in self.outcomes):
            self.save()

    def score(self, due: Sequence[int]) -> list[str | None]:
        """Write the metrics of every generator; return why the last one's samples collapsed.

        The last is the averaged one where there is one.
        """
        with training():
            generators = self.gan.tricks.sampler({"raw": self.gan.G.theta}, self.gan)
        for name, theta in generators.items():
            with training():
                samples = generate(self.gan, theta, self.budget["samples"])
                if len(due) < len(self.slots):
                    samples = samples[list(due)]
                kept, scored = samples[:, :GRID].cpu().numpy(), self.judge.score(samples)
            for slot, scores, shown in zip(due, scored, kept, strict=True):
                outcome, images = self.outcomes[self.slots[slot]], self.images(self.played(slot))
                outcome.metrics += [row(images, name, score) for score in scores]
                outcome.samples[name] = shown
                self.listener.evaluated(images, self.slots[slot], name, scores)
        if all(self.played(slot) < self.gan.feed.rounds for slot in due):
            return [None] * len(due)
        with training():
            return self.judge.collapsed(samples)

    def prune(self) -> None:
        """End every trial that is alive, if a listener says so."""
        reason = self.listener.pruned(self.outcomes)
        if reason is None:
            return
        for slot in self.living:
            self.finish(slot, "pruned", reason)
        for n in self.expected:
            self.outcomes[n].status, self.outcomes[n].reason = "pruned", reason
            self.listener.finished(n, self.outcomes[n])
        self.look()

    def fail_where_not_finite(self) -> None:
        """End the trials whose parameters are not numbers any more; their slots play for nobody."""
        good = self.finite()
        for slot in self.living:
            if not good[slot]:
                images = self.images(self.played(slot))
                reason = (
                    "A parameter is not finite; it became so in the interval that ended at "
                    f"{images} images."
                )
                self.finish(slot, "diverged", reason)

    @training()
    def finite(self) -> list[bool]:
        """Return whether the parameters of the trial in each slot are numbers."""
        finite = self.gan.G.theta.isfinite().all(1) & self.gan.D.theta.isfinite().all(1)
        return [bool(good) for good in finite.tolist()]

    def drain(self) -> None:
        """Read the recorded signals from the device."""
        for shown, point in self.recorded:
            read = self.read(point)
            for slot in [slot for slot in self.living if slot in shown]:
                images = self.images(shown[slot])
                self.outcomes[self.slots[slot]].curves += [
                    {"images": images, "signal": name, "value": mean, "last": last}
                    for name, (mean, last) in read[slot].items()
                ]
        self.recorded = []

    @staticmethod
    @training()
    def read(point: Point) -> list[dict[str, tuple[float, float]]]:
        """Return a point; a GPU tells here what a step has raised long before."""
        return point.read()

    # -- safe to kill ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write a checkpoint, if there is a place for one."""
        self.saved = self.elapsed()
        if self.path is None:
            return
        self.drain()
        self.share()
        books = [
            {**vars(o), "samples": {k: torch.from_numpy(v) for k, v in o.samples.items()}}
            for o in self.outcomes
        ]
        content = {
            "gan": self.gan.state_dict(),
            "slots": self.slots,
            "outcomes": books,
            "seconds": self.saved,
        }
        checkpoint.save(self.path, self.identity, content)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        content = checkpoint.load(self.path, self.identity) if self.path else None
        if content is None:
            return
        with checkpoint.fitting(self.path):
            self.gan.load_state_dict(content["gan"])
            self.gan.feed.resume()
            self.seconds = self.saved = self.shown = self.shared = float(content["seconds"])
            for outcome, book in zip(self.outcomes, content["outcomes"], strict=True):
                book["samples"] = {k: v.numpy() for k, v in book["samples"].items()}
                if book.keys() != vars(outcome).keys():
                    raise KeyError(*(book.keys() ^ vars(outcome).keys()))
                vars(outcome).update(book)
        self.look()


def row(images: int, generator: str, score: Score) -> dict[str, Any]:
    """Return a metric as it is written."""
    return {
        "images": images,
        "generator": generator,
        "metric": score.metric,
        "value": score.value,
        "resample_sd": score.resample_sd,
        "protocol": score.protocol,
    }
