"""The book of a search: the settings of one arm in the order of trying, and what came of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ablate.disk import replace_file, sealed, unsealed
from ablate.errors import UserError
from ablate.store.record import NOT_THERE


@dataclass
class Candidate:
    """A setting of the arm, trained under every tuning seed.

    Attributes:
        number: Optuna's.
        generation: Those of one generation were proposed together.
        params: Optuna's parameters.
        attrs: What the sampler noted about it.
        refused: Why it cannot be trained, or "".
        state: "" while it is open; then Optuna's: COMPLETE or PRUNED.
        values: What Optuna was told: the objectives.
        reports: The metric's mean over seeds at every evaluation.
        failed: How many of its trials failed.
        images: Spent on it.
        trials: Ids, one a tuning seed.
    """

    number: int
    generation: int
    params: dict[str, Any]
    attrs: dict[str, Any]
    refused: str = ""
    state: str = ""
    values: tuple[float, ...] = ()
    reports: tuple[float, ...] = ()
    failed: int = 0
    images: int = 0
    trials: tuple[str, ...] = ()


@dataclass
class Book:
    """What was tried, in order, and what the sampler keeps about the arm as a whole."""

    candidates: list[Candidate]
    attrs: dict[str, Any]

    @property
    def open(self) -> list[Candidate]:
        """Those that Optuna was not told about."""
        return [c for c in self.candidates if not c.state]

    @property
    def images(self) -> int:
        """Spent so far."""
        return sum(c.images for c in self.candidates)


def read_book(path: Path) -> Book:
    """Return the book as it stands; an empty one where nothing was tried.

    Raises:
        UserError: It is not what was written, or the book of another search.
    """
    try:
        content = unsealed(path.read_bytes())
        if content.get("key", path.stem) != path.stem:
            raise ValueError("it is that of another search")
        found = [Candidate(**candidate) for candidate in content["candidates"]]
        for candidate in found:  # JSON knows lists alone
            candidate.values, candidate.reports = tuple(candidate.values), tuple(candidate.reports)
            candidate.trials = tuple(candidate.trials)
        return Book(found, content["attrs"])
    except FileNotFoundError:
        return Book([], {})
    except (*NOT_THERE, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"The book of a search, {path}, is damaged ({error}); type the command of the sweep "
            "again, which sets it aside and tells it anew from the trials that are there."
        ) from error


def write_book(path: Path, book: Book, arm: str) -> None:
    """Swap in a new state of the book."""
    replace_file(path, sealed({"arm": arm, "key": path.stem, **asdict(book)}))
