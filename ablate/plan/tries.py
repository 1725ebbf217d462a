"""What a search has tried and is trying, in words, for whoever watches it or asks for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.errors import UserError
from ablate.metric import HIGHER_IS_BETTER
from ablate.plan.search_file import searches
from ablate.screen.letters import counted
from ablate.search.journal import Book, Candidate, read_book
from ablate.store.plan import STUDY, TUNED


@dataclass(frozen=True)
class Tries:
    """The search of one arm as it stands.

    Attributes:
        arm: Its name.
        search: What `search.json` says about it.
        book: What was tried.
    """

    arm: str
    search: Mapping[str, Any]
    book: Book

    @property
    def trials(self) -> list[str]:
        """The trials of all settings so far."""
        return [trial for candidate in self.book.candidates for trial in candidate.trials]

    @property
    def over(self) -> list[Candidate]:
        """The settings that have ended, in the order of trying."""
        return [candidate for candidate in self.book.candidates if candidate.state]

    def images(self, shown: Mapping[str, int], ended: Collection[str], whole: int) -> int:
        """Return the images that the search has spent, those of trials under way included.

        Args:
            shown: Trial -> images so far, of those under way.
            ended: Trials that have ended.
            whole: Images of one trial.
        """
        opened = [trial for candidate in self.book.open for trial in candidate.trials]
        under_way = sum(whole if t in ended else shown.get(t, 0) for t in opened)
        return min(self.book.images + under_way, self.search["budget_images"])

    def at_work(self, held: Collection[str]) -> list[Candidate]:
        """Return the settings that living workers are trying.

        Args:
            held: Trials that they have.
        """
        return [c for c in self.book.open if not set(c.trials).isdisjoint(held)]

    def best(self, among: Sequence[Candidate] | None = None) -> Candidate | None:
        """Return the best of the settings that all tuning seeds finished, None where none is."""
        known = self.over if among is None else among
        sign = -1.0 if HIGHER_IS_BETTER[self.search["metric"]] else 1.0
        good = [c for c in known if c.state == "COMPLETE" and not c.failed]
        return min(good, key=lambda c: (sign * c.values[0], c.number), default=None)

    def score(self, candidate: Candidate) -> str:
        """Return the metric of a setting; a mean of logarithms is told as the metric it is of."""
        value = candidate.values[0]
        return f"{math.exp(value) if self.search['is_ratio'] else value:.4g}"

    def outcome(self, candidate: Candidate) -> str:
        """Return a line on a setting that has ended."""
        before = self.over[: self.over.index(candidate) + 1]
        spent = sum(c.images for c in before) / self.search["budget_images"]
        what = candidate.refused or f"{self.search['metric']} {self.score(candidate)}"
        if candidate.failed and not candidate.refused:
            what = f"failed under {counted(candidate.failed, 'seed')}"
        elif candidate.state == "PRUNED":
            what = f"pruned at {what}"
        elif self.best(before) is candidate:
            what += ", the best so far"
        return f"{self.arm}, {named(candidate)}: {what}; {100 * spent:.0f} % of its budget"

    def under_way(self, held: Collection[str]) -> list[str]:
        """Return what is tried at the moment, and the best so far."""
        told = [f"{self.arm}, {named(candidate)}" for candidate in self.at_work(held)]
        best = self.best()
        if told and best is not None:
            told.append(f"its best so far {self.score(best)}, setting {best.number}")
        return told

    def summary(self, held: Collection[str], spent: int) -> str:
        """Return how far the search is."""
        counts = Counter("refused" if c.refused else c.state.lower() for c in self.over)
        told = [", ".join(f"{n} {state}" for state, n in counts.most_common()) or "none ended yet"]
        told += [f"trying {named(candidate)}" for candidate in self.at_work(held)]
        best = self.best()
        if best is not None:
            told.append(f"best {self.search['metric']} {self.score(best)}, {named(best)}")
        budget = self.search["budget_images"]
        told.append(f"{100 * spent / budget:.0f} % of {budget:,} images")
        return f"search, {self.arm}: {'; '.join(told)}"


def read_tries(folder: Path) -> list[Tries]:
    """Return the searches of all arms of a study; none where nothing is searched.

    Raises:
        UserError: A book is damaged, or lost though its search is over.
    """
    found, over = [], (folder / TUNED / STUDY).is_file()
    for arm, search in searches(folder).items():
        path = folder / "search" / f"{search['key']}.json"
        book = read_book(path)
        if over and not book.candidates:
            raise UserError(
                f"{folder} has lost the book of a search, {path}; type the command of the sweep "
                "again, which tells it anew from the trials that are there."
            )
        found.append(Tries(arm, search, book))
    return found


def named(candidate: Candidate) -> str:
    """Return a setting with its values: `setting 3 (adam.lr 0.0002, r1.gamma 10)`."""
    values = ", ".join(f"{key} {plain(value)}" for key, value in candidate.params.items())
    return f"setting {candidate.number} ({values or 'its own'})"


def plain(value: Any) -> str:
    """Return a value with three digits, as it is typed."""
    if not isinstance(value, float):
        return str(value)
    rounded = float(f"{value:.3g}")
    return f"{rounded:.0f}" if 1e3 <= abs(rounded) < 1e9 else f"{rounded:g}"
