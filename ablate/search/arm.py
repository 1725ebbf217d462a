"""The search of one arm: which settings are tried next, which end early, which is best.

What was tried stands in the arm's book, a file. Optuna is asked about the book and keeps nothing
between two questions: the same book gives the same answer in any process, so a search can be killed
at any moment, and how many workers train does not change what is tried. Settings are proposed in
generations of `rules.batch`; a generation is told when all of it has ended.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from ablate.errors import UserError
from ablate.search.evidence import Evidence, means, read_evidence
from ablate.search.journal import Book, Candidate, read_book, write_book
from ablate.search.pruner import Pruner
from ablate.search.rules import ONE_BY_ONE, Rules
from ablate.search.space import Space
from ablate.trial import Trial, canonical

optuna.logging.set_verbosity(optuna.logging.WARNING)  # a line a question would bury ours
UNSEEN = 10.0  # of a setting that failed before any other had a value: e^10 on the ratio scale
ATTEMPTS = 10  # proposals for each setting of the budget, where most are refused


@dataclass(frozen=True)
class Job:
    """Trials of one setting that are trained together.

    Attributes:
        trials: A stack.
        prune: Given what they have shown so far, says why they should end, or None.
    """

    trials: list[Trial]
    prune: Callable[[Sequence[Evidence]], str | None]


class ArmSearch:
    """One arm on its way through its budget of images.

    Attributes:
        arm: Its label.
        key: 16 hex digits of what decides the search, its budget aside.
        budget: Images.
        repeat: Which of the arm's searches it is, counted from 0.
        scored: Seeds that score what it finds.
    """

    def __init__(
        self,
        trial: Trial,
        space: Space,
        rules: Rules,
        folder: Path,
        refusal: Callable[[Trial], str],
        first: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Read nothing yet.

        Args:
            trial: The arm at its own settings.
            space: What is searched in it.
            rules: Of all arms.
            folder: The results folder.
            refusal: Says why a trial cannot be trained, or "".
            first: Settings to try after the arm's own, from an earlier search.
        """
        self.repeat, self.scored = 0, list[int]()
        self.arm, self.trial, self.space, self.rules = trial.arm, trial, space, rules
        self.folder, self.refusal = folder, refusal
        self.whole = trial.images * len(rules.seeds)
        self.budget = self.whole * rules.trials
        self.first = [space.defaults(), *(dict(params) for params in first)]
        content = {
            "trial": {**trial.at_seed(0).content(), "arm": ""},
            "space": {name: repr(d) for name, d in space.distributions.items()},
            "rules": rules.identity,
            "first": self.first,
        }
        self.key = hashlib.sha256(canonical(content).encode()).hexdigest()[:16]
        self.path = folder / "search" / f"{self.key}.json"

    # -- the book ----------------------------------------------------------------------------------

    def read(self) -> Book:
        """Return the book as it stands."""
        return read_book(self.path)

    def advance(self) -> Book:
        """Tell what has ended and propose what comes next; one process at a time may do this."""
        book = self.read()
        found = {c.number: self.evidence(c) for c in book.open}
        if any(self.is_open(c, book, found[c.number]) for c in book.open):
            return book
        for candidate in book.open:
            self.conclude(candidate, book, found[candidate.number])
        self.propose(book)
        write_book(self.path, book, self.arm)
        return book

    def is_finished(self, book: Book) -> bool:
        """Return whether the budget is spent, or nothing new is left to try."""
        tried = len(book.candidates)
        spent = book.images + self.whole > self.budget
        return bool(tried) and not book.open and (spent or tried >= self.most)

    @property
    def most(self) -> int:
        """How many settings are tried at most: all there are, or an end where most are refused."""
        if not self.space.distributions:
            return 1
        if self.rules.sampler["name"] != "grid":
            return ATTEMPTS * (self.budget // self.whole)
        points = self.space.grid(self.rules.sampler["points"]).values()
        return len(self.first) + math.prod(len(values) for values in points)

    # -- settings ----------------------------------------------------------------------------------

    def trials(self, candidate: Candidate) -> list[Trial]:
        """Return the trials of a setting, one a tuning seed."""
        tuned = replace(self.trial, tricks=self.space.settings(candidate.params))
        return [tuned.at_seed(seed) for seed in self.rules.seeds]

    def propose(self, book: Book) -> None:
        """Add the next generation to the book, as many settings as the budget has room for."""
        room = (self.budget - book.images) // self.whole
        n = int(min(self.rules.batch, room, self.most - len(book.candidates)))
        if n < 1:
            return
        generation = 1 + max((c.generation for c in book.candidates), default=-1)
        storage, study = self.memory(book.candidates, book.attrs, generation)
        for number in range(len(book.candidates), len(book.candidates) + n):
            if number < len(self.first):
                study.enqueue_trial(self.first[number])
            study.ask(self.space.distributions)
            asked = study.get_trials(deepcopy=False)[number]
            candidate = Candidate(number, generation, asked.params, asked.system_attrs)
            trials = self.trials(candidate)
            candidate.trials = tuple(trial.id for trial in trials)
            candidate.refused = self.refusal(trials[0])
            book.candidates.append(candidate)
        book.attrs = storage.get_study_system_attrs(storage.get_study_id_from_name(self.key))

    def memory(
        self, earlier: Sequence[Candidate], attrs: Mapping[str, Any], generation: int
    ) -> tuple[InMemoryStorage, optuna.Study]:
        """Return an Optuna study that knows the earlier settings, and where it keeps them."""
        text = f"{self.rules.seed}/{generation}"  # the same luck for every arm
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        storage = InMemoryStorage()
        study = optuna.create_study(
            storage=storage,
            study_name=self.key,
            sampler=self.rules.make_sampler(self.space, seed),
            pruner=self.rules.make_pruner(self.trial.budget["evaluations"]),
            directions=self.rules.directions,
        )
        for name, value in attrs.items():
            storage.set_study_system_attr(storage.get_study_id_from_name(self.key), name, value)
        study.add_trials([self.frozen(candidate) for candidate in earlier])
        return storage, study

    def frozen(self, candidate: Candidate) -> FrozenTrial:
        """Return a setting as Optuna keeps it."""
        state = TrialState[candidate.state] if candidate.state else TrialState.RUNNING
        return create_trial(
            state=state,
            values=candidate.values or None,
            params=candidate.params,
            distributions=self.space.distributions,
            intermediate_values=dict(enumerate(candidate.reports, 1)),
            system_attrs=dict(candidate.attrs),
            user_attrs={"images": candidate.images, "trials": list(candidate.trials)},
            constraints={"failed": float(candidate.failed)} if candidate.state else None,
        )

    # -- evidence ----------------------------------------------------------------------------------

    def evidence(self, candidate: Candidate) -> list[Evidence]:
        """Return what the setting's trials have come to, in the order of seeds, as far as known."""
        if candidate.refused:
            return []
        found = [read_evidence(self.folder, t, self.rules) for t in self.trials(candidate)]
        return [evidence for evidence in found if evidence is not None]

    def is_open(self, candidate: Candidate, book: Book, found: Sequence[Evidence]) -> bool:
        """Return whether trials of the setting are still to be trained."""
        if candidate.refused or len(found) == len(self.rules.seeds):
            return False
        if self.rules.pruner["name"] == ONE_BY_ONE and found:
            failed = any(e.failed for e in found)
            return not failed and self.pruner(candidate, book).hear(self.reports(found)) is None
        return True

    def reports(self, found: Sequence[Evidence]) -> list[float]:
        """Return what a pruner hears: means over seeds, or the seeds one by one."""
        if self.rules.pruner["name"] == ONE_BY_ONE:
            done = [e for e in found if e.status == "done"]
            return [means([e], self.rules)[-1] for e in done]
        return means(found, self.rules)

    def pruner(self, candidate: Candidate, book: Book) -> Pruner:
        """Return what decides whether a setting ends early.

        It knows the earlier generations and not its own, whose results depend on the weather.
        """
        before = [c for c in book.candidates if c.generation < candidate.generation]
        beside = [c for c in book.candidates if c.generation == candidate.generation]
        known = [*before, *(replace(c, state="", values=(), reports=()) for c in beside)]
        storage, study = self.memory(known, {}, candidate.generation)
        evaluations = int(self.trial.budget["evaluations"])
        last = len(self.rules.seeds) if self.one_by_one else evaluations
        return Pruner(storage, study, candidate.number, last)

    def conclude(self, candidate: Candidate, book: Book, found: Sequence[Evidence]) -> None:
        """Write into the book what a setting has come to."""
        whole = self.whole // len(self.rules.seeds)
        # A crash is charged whole: a setting that ends at once would be free, and tried for ever.
        crashed = ("crashed", "killed")
        candidate.images = sum(whole if e.status in crashed else e.images for e in found)
        candidate.failed = sum(e.failed for e in found) or int(bool(candidate.refused))
        reports = self.reports(found) if found else []
        if not reports and not candidate.failed:
            raise UserError(
                f"search.metric={self.rules.metric} was not measured; type one that is in "
                f"{self.folder}/trials/*/metrics.parquet, such as search.metric=fd_classifier."
            )
        candidate.reports, pruned = tuple(reports), None
        if self.rules.pruner["name"] != "none" and not candidate.failed:
            pruner = self.pruner(candidate, book)
            pruned, candidate.attrs = pruner.hear(reports), pruner.notes
        cost = math.fsum(e.cost for e in found) / max(len(found), 1)
        further = () if self.rules.cost is None else (cost,)
        if candidate.failed:
            candidate.state, candidate.values = "COMPLETE", (self.bad(book), *further)
        elif pruned is not None or any(e.status == "pruned" for e in found):
            candidate.state, candidate.values = "PRUNED", (reports[(pruned or 0) - 1],)
        else:
            score = math.fsum(reports) / len(reports) if self.one_by_one else reports[-1]
            candidate.state, candidate.values = "COMPLETE", (score, *further)

    @property
    def one_by_one(self) -> bool:
        """Whether the pruner hears seeds rather than evaluations."""
        return self.rules.pruner["name"] == ONE_BY_ONE

    def bad(self, book: Book) -> float:
        """Return the value of a setting that failed: worse than all there are, and finite."""
        sign = -1.0 if self.rules.directions[0] == "maximize" else 1.0
        known = [sign * c.values[0] for c in book.candidates if c.values and not c.failed]
        return sign * (max(known) + 1.0) if known else sign * UNSEEN

    # -- what workers do ---------------------------------------------------------------------------

    def jobs(self, book: Book) -> list[Job]:
        """Return what can be trained now."""
        found = []
        for candidate in book.open:
            known = self.evidence(candidate)
            if candidate.refused or not self.is_open(candidate, book, known):
                continue
            trials = self.trials(candidate)
            if self.one_by_one:
                trials = trials[len(known) : len(known) + 1]
            found.append(Job(trials, self.pruning(candidate, book)))
        return found

    def pruning(
        self, candidate: Candidate, book: Book
    ) -> Callable[[Sequence[Evidence]], str | None]:
        """Return what ends a setting that is under way."""
        if self.one_by_one or self.rules.pruner["name"] == "none":
            return lambda found: None
        pruner, name = self.pruner(candidate, book), self.rules.pruner["name"]

        def prune(found: Sequence[Evidence]) -> str | None:
            step = pruner.hear(self.reports(found))
            return None if step is None else f"{name}, evaluation {step}"

        return prune

    def best(self, book: Book) -> Candidate | None:
        """Return the best setting that all tuning seeds finished; None where none did."""
        sign = -1.0 if self.rules.directions[0] == "maximize" else 1.0
        good = [c for c in book.candidates if c.state == "COMPLETE" and not c.failed]
        return min(good, key=lambda c: (sign * c.values[0], c.number), default=None)

    def front(self, book: Book) -> list[Candidate]:
        """Return what no other setting beats in quality and in cost at once, cheapest first."""
        sign = -1.0 if self.rules.directions[0] == "maximize" else 1.0
        good = [c for c in book.candidates if c.state == "COMPLETE" and not c.failed]
        front: list[Candidate] = []
        for c in sorted(good, key=lambda c: (c.values[-1], sign * c.values[0], c.number)):
            if not front or sign * c.values[0] < sign * front[-1].values[0]:
                front.append(c)
        return front
