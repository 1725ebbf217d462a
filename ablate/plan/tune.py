"""The search as a source of work: its plan on disk, its jobs, and the tuned trials that follow.

`search.json` is written with the plan. Workers read it, train what the arms' searches ask for, and
when all have spent their budgets one of them writes `tuned.jsonl`: every arm at its best setting,
under the seeds of the plan, which no search has seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.catalog import entry, parse
from ablate.compose import seed_of
from ablate.errors import UserError
from ablate.plan.claim import take
from ablate.search.arm import ArmSearch, Job
from ablate.search.book import Book, Candidate
from ablate.search.rules import Rules
from ablate.search.space import Space
from ablate.search.storage import opened, tell, url_of
from ablate.store.disk import replace_file
from ablate.trial import Trial

SEARCH, TUNED = "search.json", "tuned.jsonl"
Refusal = Callable[[Trial], str]
KEYS = ("sampler", "pruner", "trials", "seeds", "settings", "batch", "seed", "metric", "cost",
        "warm_start", "storage")  # fmt: skip


def search_plan(tree: Mapping[str, Any], arms: Sequence[Trial], seeds: Sequence[int]) -> Any:
    """Return what `search.json` holds, or None where nothing is searched.

    Args:
        tree: The composed study.
        arms: Every arm that can be trained, at its own settings.
        seeds: Of the table.

    Raises:
        UserError: The search cannot be made so.
    """
    given = tree["search"]
    if given["sampler"] is None:
        return None
    for key in given:
        if key not in KEYS:
            raise UserError(f"There is no key 'search.{key}'; type one of {', '.join(KEYS)}.")
    rules = rules_of(given, given["metric"] or tree["study"]["analysis"]["metric"] or usual(arms))
    rules.check(seeds, int(arms[0].budget["evaluations"]))
    ranges = {
        name: dict(node_of(tree["trick"], name).search) for arm in arms for name in arm.tricks
    }
    chosen = None if given["settings"] is None else list(given["settings"])
    spaces = [Space(arm.tricks, ranges, chosen) for arm in arms]
    refuse_unknown(chosen, spaces)
    earlier = {} if given["warm_start"] is None else best_of(Path(given["warm_start"]))
    return {
        "rules": asdict(rules),
        "seeds": list(seeds),
        "arms": [
            {
                "trial": asdict(arm.at_seed(rules.seeds[0])),
                "ranges": {name: ranges[name] for name in sorted(arm.tricks)},
                "settings": chosen,
                "first": [fitting(space, params) for params in earlier.get(arm.arm, [])],
            }
            for arm, space in zip(arms, spaces, strict=True)
        ],
    }


def rules_of(given: Mapping[str, Any], metric: str) -> Rules:
    """Return the rules that a config's `search` node describes."""
    seeds = given["seeds"] if isinstance(given["seeds"], list) else []
    if not seeds or len(set(seeds)) != len(seeds):
        raise UserError(
            f"search.seeds={given['seeds']} must be a list of different seeds: [1000,1001,1002]."
        )
    return Rules(
        sampler=given["sampler"],
        pruner=given["pruner"],
        trials=given["trials"],
        seeds=tuple(seed_of(seed, "search.seeds") for seed in seeds),
        batch=given["batch"],
        seed=seed_of(given["seed"], "search.seed"),
        metric=metric,
        cost=given["cost"],
    )


def usual(arms: Sequence[Trial]) -> str:
    """Return the metric that decides where none is declared: the distance of the extractor."""
    metric = arms[0].metric
    extractor = metric["extractor"]
    if extractor == "auto":
        extractor = "classifier"
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
    found = {}
    for search in Tuning(folder).arms:
        best = search.best(search.read())
        if best is not None:
            found[search.arm] = [best.params]
    return found


def write_search(folder: Path, content: Any) -> None:
    """Write the plan of the search, or take an earlier one away; more trials go on from fewer."""
    path, text = folder / SEARCH, json.dumps(content, indent=1, sort_keys=True) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    (folder / TUNED).unlink(missing_ok=True)  # the best may be others now
    if content is None:
        path.unlink(missing_ok=True)
    else:
        replace_file(path, text.encode())


class Tuning:
    """The searches of all arms of a study.

    Attributes:
        arms: One search an arm.
        seeds: Of the table.
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
        self.folder, self.url, self.arms, self.seeds = folder, url, list[ArmSearch](), list[int]()
        path = folder / SEARCH
        if not path.is_file():
            return
        content = json.loads(path.read_text(encoding="utf-8"))
        rules = Rules(**{**content["rules"], "seeds": tuple(content["rules"]["seeds"])})
        self.seeds = content["seeds"]
        for arm in content["arms"]:
            trial = Trial(**arm["trial"])
            space = Space(trial.tricks, arm["ranges"], arm["settings"])
            self.arms.append(ArmSearch(trial, space, rules, folder, refusal, arm["first"]))

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
            with opened(url_of(self.url, self.folder)) as storage:
                tell(storage, search, book)
            return book
        finally:
            claim.release()

    def is_finished(self) -> bool:
        """Return whether every arm has spent its budget."""
        return all(search.is_finished(search.read()) for search in self.arms)

    def tuned(self) -> list[Trial]:
        """Return the trials of the tuned table, and write them down; none before the end."""
        path = self.folder / TUNED
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            return [Trial.from_json(line) for line in lines]
        if not self.arms or not self.is_finished():
            return []
        settings = [(search, best_setting(search)) for search in self.arms]
        trials = [
            replace(s.trial, tricks=tricks).at_seed(seed)
            for seed in self.seeds
            for s, tricks in settings
        ]
        replace_file(path, "".join(f"{trial.to_json()}\n" for trial in trials).encode())
        return trials

    def table(self) -> pd.DataFrame:
        """Return one row a setting: arm, number, state, value, failed, images, params."""
        return pd.DataFrame(
            [row_of(search, c) for search in self.arms for c in search.read().candidates],
            columns=["arm", "number", "state", "value", "failed", "images", "params"],
        )


def best_setting(search: ArmSearch) -> dict[str, dict[str, Any]]:
    """Return the tricks of an arm at its best setting; its own where no setting was finished."""
    best = search.best(search.read())
    return search.space.settings({} if best is None else best.params)


def row_of(search: ArmSearch, candidate: Candidate) -> dict[str, Any]:
    """Return one row of the table of settings."""
    return {
        "arm": search.arm,
        "number": candidate.number,
        "state": "refused" if candidate.refused else candidate.state.lower() or "open",
        "value": candidate.values[0] if candidate.values else float("nan"),
        "failed": candidate.failed,
        "images": candidate.images,
        "params": json.dumps(candidate.params, sort_keys=True),
    }
