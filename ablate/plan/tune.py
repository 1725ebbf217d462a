"""The search as a source of work: its plan on disk, its jobs, and the tuned study that follows.

`search.json` is written with the plan. Workers read it and train what the arms' searches ask for.
When all have spent their budgets one of them writes the folder `tuned`: a study of its own, every
arm at its best setting, under the seeds of the plan, which no search has seen; where a search is
repeated each share of these seeds scores what its own repeat has found. Its `trials` are those of
the folder above, so that a setting that stayed as it was is not trained again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ablate.analysis.guarded import FEWEST_SEEDS
from ablate.config.catalog import entry, parse
from ablate.config.tree import seed_of
from ablate.disk import make_folder, replace_file, sealed
from ablate.errors import UserError
from ablate.plan.files import book_of, remember
from ablate.plan.search_file import SEARCH, SEARCHED, budgets, read_search
from ablate.plan.study import Plan
from ablate.search.arm import ArmSearch, Job
from ablate.search.journal import Book
from ablate.search.repeats import refuse_shared, rules_of_repeat, scoring_seeds
from ablate.search.rules import Rules
from ablate.search.space import Space
from ablate.search.storage import opened, tell, url_of
from ablate.store.claims import take
from ablate.store.plan import PLAN, STUDY, TUNED, WRITTEN, hash_of, locked, read_study
from ablate.trial import Trial

OF_SEARCH = (SEARCHED, WRITTEN)  # what study.json says of the search, and not of what follows it
Refusal = Callable[[Trial], str]


def search_plan(tree: Mapping[str, Any], plan: Plan, folder: Path, is_toy: bool) -> dict[str, Any]:
    """Return what `search.json` holds.

    Args:
        tree: The composed study, in which something is searched.
        plan: Its plan; every arm that can be trained is searched.
        folder: The results folder; a budget that an arm has there never shrinks.
        is_toy: Whether the data are points.

    Raises:
        UserError: The search cannot be made so.
    """
    given, good = tree["search"], [planned for planned in plan.arms if not planned.refused]
    arms = [planned.trial for planned in good]
    seeds = [planned.arm.seeds or plan.seeds for planned in good]
    declared = given["metric"] or tree["study"]["analysis"]["metric"]
    rules = rules_of(given, declared or usual(arms[0].metric, is_toy))
    shares = scoring_seeds(plan.seeds, given["repeats"])
    check_repeats(tree, seeds)
    rules.check(plan.seeds, int(arms[0].budget["evaluations"]))
    refuse_shared(rules, len(shares), plan.seeds)
    repeats = [rules_of_repeat(rules, repeat) for repeat in range(len(shares))]
    if isinstance(given["add"], bool) or not isinstance(given["add"], int) or given["add"] < 0:
        raise UserError(f"--add-trials {given['add']} is no number of trials; type --add-trials 5.")
    ranges = {
        name: dict(node_of(tree["trick"], name).search) for arm in arms for name in arm.tricks
    }
    chosen = None if given["settings"] is None else list(given["settings"])
    spaces = [Space(arm.tricks, ranges, chosen) for arm in arms]
    refuse_unknown(chosen, spaces)
    earlier = {} if given["warm_start"] is None else best_of(Path(given["warm_start"]))
    planned = [
        planned_arm(arm, space, repeats[repeat], ranges, chosen, earlier.get(arm.arm, []))
        | {"repeat": repeat, "seeds": [seed for seed in own if seed in share]}
        for repeat, share in enumerate(shares)
        for arm, space, own in zip(arms, spaces, seeds, strict=True)
    ]
    before = budgets(folder)
    for arm in planned:
        arm["budget_images"] = max(arm["budget_images"], before.get(arm["key"], 0))
        arm["budget_images"] += given["add"] * arm.pop("whole")
    return {
        "rules": asdict(rules),
        "seeds": list(plan.seeds),
        "repeats": shares,
        "optuna": version("optuna"),
        "arms": planned,
    }


def check_repeats(tree: Mapping[str, Any], seeds: Sequence[Sequence[int]]) -> None:
    """Refuse what repeated searches cannot be scored by: their table counts repeats, not seeds.

    Raises:
        UserError: The first reason.
    """
    given, analysis = tree["search"], tree["study"]["analysis"]
    repeats = given["repeats"]
    if repeats == 1:
        return
    told = f"search.repeats={repeats}"
    if given["warm_start"] is not None:
        raise UserError(
            f"{told} would start every repeat at what one earlier search found, so that they look "
            "more alike than they are; type search.warm_start=null or search.repeats=1."
        )
    if len(set(map(tuple, seeds))) > 1:
        raise UserError(
            f"{told} needs arms that share their seeds, and here each has its own; type "
            "study.permutations=null, or search.repeats=1."
        )
    if analysis["looks"]:
        raise UserError(
            f"study.analysis.looks={analysis['looks']} counts seeds, and with {told} the tuned "
            "table counts repeats; type study.analysis.looks=[]."
        )
    if analysis["variance"] == "guarded" and repeats < FEWEST_SEEDS:
        raise UserError(
            f"study.analysis.variance=guarded pools over {FEWEST_SEEDS} repeats or more; type "
            f"search.repeats={FEWEST_SEEDS}, or study.analysis.variance=own."
        )


def planned_arm(
    trial: Trial,
    space: Space,
    rules: Rules,
    ranges: Mapping[str, Any],
    chosen: Sequence[str] | None,
    earlier: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what `search.json` says about one arm."""
    first = [fitting(space, params) for params in earlier]
    search = ArmSearch(trial, space, rules, Path(), lambda _: "", first)
    try:
        search.memory([], {}, 0)[1].ask(space.distributions)
    except (TypeError, ValueError, AssertionError) as error:
        raise UserError(
            f"Optuna refuses search.sampler or search.pruner ({error}); type a value as those in "
            f"conf/search/sampler/{rules.sampler['name']}.yaml and its neighbours."
        ) from error
    return {
        "trial": trial.at_seed(rules.seeds[0]).content(),
        "ranges": {name: ranges[name] for name in sorted(trial.tricks)},
        "settings": chosen,
        "first": first,
        "key": search.key,
        "whole": search.whole,
        "budget_images": search.budget,
        "is_ratio": rules.is_ratio,
    }


def rules_of(given: Mapping[str, Any], metric: str) -> Rules:
    """Return the rules that a config's `search` node describes."""
    seeds = given["seeds"] if isinstance(given["seeds"], list) else []
    seeds = [seed_of(seed, "search.seeds") for seed in seeds]
    if not seeds or len(set(seeds)) != len(seeds):
        raise UserError(
            f"search.seeds={given['seeds']} must be a list of different seeds: [1000,1001,1002]."
        )
    return Rules(
        sampler=given["sampler"],
        pruner=given["pruner"],
        trials=given["trials"],
        seeds=tuple(seeds),
        batch=given["batch"],
        seed=seed_of(given["seed"], "search.seed"),
        metric=metric,
        cost=given["cost"],
    )


def usual(metric: Mapping[str, Any], is_toy: bool) -> str:
    """Return the metric that decides where none is declared: the distance of the extractor."""
    extractor = metric["extractor"]
    if extractor == "auto":
        extractor = "raw" if is_toy else "classifier"
    return {"inception": "fid", "classifier": "fd_classifier", "raw": "fd_raw"}[extractor]


def node_of(chosen: Mapping[str, Any], name: str) -> Any:
    """Return a trick's entry as the command line left it, or as its yaml has it."""
    return parse(name, chosen[name]) if name in chosen else entry(name)


def refuse_unknown(chosen: Sequence[str] | None, spaces: Sequence[Space]) -> None:
    """Refuse parameters that no arm has, and a search of nothing.

    Raises:
        UserError: The sentence names what can be searched.
    """
    known = sorted({name for space in spaces for name in space.kinds})
    wrong = [name for name in chosen or [] if name not in known]
    if wrong:
        raise UserError(
            f"search.settings names {', '.join(wrong)}, which no arm has or which has no range in "
            f"its yaml; type some of {', '.join(known) or 'none'}."
        )
    if not known:
        raise UserError(
            "No arm has a setting with a range to search; type search=none, or "
            "study.always=[adam] with trick=[...,adam] to search the learning rate of every arm."
        )


def fitting(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return earlier parameters as far as they are searched here, the arm's own for the rest."""
    found = space.defaults()
    for name, value in params.items():
        if name in found and space.distributions[name]._contains(  # Optuna has no public question
            space.distributions[name].to_internal_repr(value)
        ):
            found[name] = value
    return found


def best_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return arm -> the best parameters of an earlier study's search.

    Raises:
        UserError: There is no search.
    """
    if not (folder / SEARCH).is_file():
        raise UserError(
            f"search.warm_start={folder} holds no search; name the results folder of a study that "
            "was run with search=optuna, or type search.warm_start=null."
        )
    found = dict[str, list[dict[str, Any]]]()
    for search in Tuning(folder).arms:
        best = search.best(search.read())
        if best is not None:
            found.setdefault(search.arm, []).append(best.params)
    return found


class Tuning:
    """The searches of all arms of a study.

    Attributes:
        arms: One search an arm and repeat.
        seeds: Of the table.
        repeats: Those of them that score each repeat.
        metric: What is searched for.
    """

    def __init__(
        self, folder: Path, refusal: Refusal = lambda _: "", url: str | None = None
    ) -> None:
        """Read the plan of the search; without one there is nothing to do.

        Args:
            folder: The results folder.
            refusal: Says why a trial cannot be trained, or "".
            url: `search.storage`.
        """
        self.folder, self.url, self.metric = folder, url, ""
        self.arms, self.seeds, self.repeats = list[ArmSearch](), list[int](), list[list[int]]()
        content = read_search(folder)
        if content is None:
            return
        rules = Rules(**{**content["rules"], "seeds": tuple(content["rules"]["seeds"])})
        self.seeds, self.metric = content["seeds"], rules.metric
        self.repeats = content.get("repeats", [self.seeds])  # there was one search an arm before
        for arm in content["arms"]:
            trial, repeat = Trial(**arm["trial"]), arm.get("repeat", 0)
            space = Space(trial.tricks, arm["ranges"], arm["settings"])
            own = rules_of_repeat(rules, repeat)
            search = ArmSearch(trial, space, own, folder, refusal, arm["first"])
            search.repeat, search.scored = repeat, arm["seeds"]
            search.budget = arm["budget_images"]
            self.arms.append(search)

    def jobs(self) -> list[Job]:
        """Return what can be trained now; arms whose generation has ended go on to the next."""
        found = []
        for search in self.arms:
            book = search.read()
            if search.is_finished(book):
                continue
            todo = search.jobs(book)
            found += todo or search.jobs(self.advance(search))
        return found

    def advance(self, search: ArmSearch) -> Book:
        """Take an arm to its next generation, unless somebody else is at it."""
        claim = take(self.folder, f"search-{search.key}")
        if claim is None:
            return search.read()
        try:
            book = search.advance()
            with locked(self.folder, alone=True):
                remember(self.folder, [book_of(search.key)])
            with opened(url_of(self.url, self.folder)) as storage:
                tell(storage, search, book)
            return book
        finally:
            claim.release()

    def tell_again(self) -> None:
        """Tell Optuna's storage what the books know and it does not, but for who is at work."""
        with opened(url_of(self.url, self.folder)) as storage:
            for search in self.arms:
                claim = take(self.folder, f"search-{search.key}")
                if claim is None:
                    continue
                try:
                    tell(storage, search, search.read())
                finally:
                    claim.release()

    def is_finished(self) -> bool:
        """Return whether every arm has spent its budget."""
        return all(search.is_finished(search.read()) for search in self.arms)

    def confirm(self) -> list[Trial]:
        """Write the tuned study, if the search is over; return its trials."""
        if not self.arms or not self.is_finished():
            return []
        chosen = [(search, best_setting(search)) for search in self.arms]
        trials = [
            replace(search.trial, tricks=tricks).at_seed(seed)
            for seed in self.seeds
            for search, tricks in chosen
            if seed in search.scored
        ]
        content = "".join(f"{trial.to_json()}\n" for trial in trials).encode()
        study = {
            **{key: told for key, told in read_study(self.folder).items() if key not in OF_SEARCH},
            "plan_sha256": hash_of(content),
            "tuning_seeds": sorted({seed for search in self.arms for seed in search.rules.seeds}),
            "repeats": self.repeats,
            "tuning_metric": self.metric,
            "search": [summary(search, tricks) for search, tricks in chosen],
        }
        folder = self.folder / TUNED
        make_folder(folder)
        with locked(self.folder, alone=True), locked(folder, alone=True):
            remember(self.folder, [*(book_of(search.key) for search in self.arms), TUNED])
            with suppress(FileExistsError):
                (folder / "trials").symlink_to(Path("..") / "trials")
            replace_file(folder / PLAN, content)
            replace_file(folder / STUDY, sealed(study))
        return trials


def summary(search: ArmSearch, tricks: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the tuned study says about the search of one arm."""
    book = search.read()
    best = search.best(book)
    states = Counter("refused" if c.refused else c.state.lower() for c in book.candidates)
    front = [] if search.rules.cost is None else search.front(book)
    return {
        "arm": search.arm,
        "repeat": search.repeat,
        "images": book.images,
        "budget_images": search.budget,
        "settings": dict(states),
        "failed": sum(bool(c.failed) and not c.refused for c in book.candidates),
        "best": None if best is None else best.number,
        "value": None if best is None else best.values[0],
        "tricks": tricks,
        "searched": sorted(search.space.kinds),
        "front": [{"number": c.number, "values": c.values, "params": c.params} for c in front],
    }


def best_setting(search: ArmSearch) -> dict[str, dict[str, Any]]:
    """Return the tricks of an arm at its best setting; its own where no setting was finished."""
    best = search.best(search.read())
    return search.space.settings({} if best is None else best.params)
