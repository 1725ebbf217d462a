"""The rules of a search: sampler, pruner, budget, tuning seeds; the same for every arm."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from optuna import pruners, samplers
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler

from ablate.errors import UserError, unknown
from ablate.metric import CATALOG, HIGHER_IS_BETTER, SCALE, unknown_metric
from ablate.search.space import Space

T = TypeVar("T")
Options = Mapping[str, Any]
COSTS = ("device_seconds", "wall_seconds", "peak_memory_bytes")
MOST_POINTS = 100  # of a grid along every setting
MOST = 100_000  # settings of an arm
ONE_BY_ONE = "wilcoxon"  # prunes over seeds, so that they are trained one after the other


@dataclass(frozen=True)
class Rules:
    """How every arm is searched.

    Attributes:
        sampler: Its name and all of its options, none left to Optuna's defaults.
        pruner: Likewise.
        trials: An arm's budget, in settings that are trained to the end.
        seeds: Tuning seeds; every setting is trained under all of them.
        batch: Settings that are proposed at once.
        seed: Of the sampler.
        metric: What is searched for.
        cost: The second objective, or None.
    """

    sampler: Options
    pruner: Options
    trials: int
    seeds: tuple[int, ...]
    batch: int
    seed: int
    metric: str
    cost: str | None

    @property
    def identity(self) -> dict[str, Any]:
        """What decides which settings are tried; not their number, so that more can follow."""
        return {key: value for key, value in asdict(self).items() if key != "trials"}

    @property
    def directions(self) -> list[Any]:
        """Optuna's directions: of the metric, and of the cost where there is one."""
        quality = "maximize" if HIGHER_IS_BETTER[self.metric] else "minimize"
        return [quality] if self.cost is None else [quality, "minimize"]

    @property
    def is_ratio(self) -> bool:
        """Whether means over seeds are taken of logarithms."""
        return SCALE[self.metric] == "ratio"

    def check(self, confirmation: Sequence[int], evaluations: int) -> None:
        """Refuse rules that cannot be followed.

        Args:
            confirmation: The seeds of the table.
            evaluations: Of a trial; what a pruner has to decide on.

        Raises:
            UserError: The first reason.
        """
        shared = sorted(set(self.seeds) & set(confirmation))
        if shared:
            raise UserError(
                f"search.seeds and study.seeds share {shared}: a tuned arm must be scored on seeds "
                f"that tuning never saw; type search.seeds=[{_fresh(confirmation)}]."
            )
        for key in ("trials", "batch"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UserError(
                    f"search.{key}={value} gives no arm a single setting; type a whole number "
                    f"of at least 1."
                )
            if value > MOST:
                raise UserError(f"search.{key}={value} is more than {MOST:,}; type fewer.")
        self.check_options()
        if self.metric not in CATALOG:
            raise unknown_metric(self.metric)
        self.check_cost()
        self.check_pruner(evaluations)

    def check_options(self) -> None:
        """Refuse options of sampler and pruner that count more than anybody would wait for."""
        for part, options in (("sampler", self.sampler), ("pruner", self.pruner)):
            for key, value in options.items():
                most = MOST_POINTS if key == "points" else MOST
                if isinstance(value, int | float) and value > most:
                    raise UserError(
                        f"search.{part}.{key}={value} is more than {most:,}; type less."
                    )

    def check_cost(self) -> None:
        """Refuse a second objective that is none, or that sampler or pruner cannot take."""
        if self.cost is None:
            return
        if self.cost not in COSTS:
            raise unknown("cost", self.cost, COSTS)
        if self.pruner["name"] != "none":
            raise UserError(
                "A search with two objectives has no single value to prune by; "
                "type search/pruner=none or search.cost=null."
            )
        if self.sampler["name"] == "cmaes":
            raise UserError(
                "search/sampler=cmaes knows one objective; type search.cost=null or "
                "search/sampler=tpe."
            )

    def check_pruner(self, evaluations: int) -> None:
        """Refuse a pruner that has nothing to decide on, or whose decisions would do harm."""
        name = self.pruner["name"]
        if self.sampler["name"] == "gp" and name != "none":
            raise UserError(
                "search/sampler=gp learns from settings that were trained to the end, and proposes "
                "pruned ones again and again; type search/pruner=none or search/sampler=tpe."
            )
        if name not in ("none", ONE_BY_ONE) and evaluations < 2:
            raise UserError(
                f"search/pruner={name} decides between evaluations, and there is one at the end; "
                "type budget.evaluations=5."
            )
        if name == ONE_BY_ONE and len(self.seeds) < 5:
            raise UserError(
                "search/pruner=wilcoxon compares settings over seeds, and fewer than five never "
                "differ by its test; type search.seeds=[1000,1001,1002,1003,1004]."
            )

    def make_sampler(self, space: Space, seed: int) -> BaseSampler:
        """Return the sampler of an arm, a fresh one for every proposal."""
        options = {key: value for key, value in self.sampler.items() if key != "name"}
        name = self.sampler["name"]
        if name == "grid":
            return samplers.GridSampler(grid_of(space, options["points"]), seed=self.seed)
        if name == "random":
            return samplers.RandomSampler(seed=seed)
        if name in ("gp", "cmaes", "qmc"):  # what they cannot model is drawn at random
            options["warn_independent_sampling"] = False
        if name == "qmc":
            # One sequence a search: its points are spread evenly only among themselves.
            options |= {"warn_asynchronous_seeding": False}
            seed = self.seed
        return _quietly(SAMPLERS[name], **options, seed=seed)

    def make_pruner(self, evaluations: int) -> BasePruner:
        """Return the pruner."""
        options = {key: value for key, value in self.pruner.items() if key != "name"}
        if self.pruner["name"] == "hyperband":
            options["max_resource"] = evaluations
        return _quietly(PRUNERS[self.pruner["name"]], **options)


SAMPLERS: dict[str, Callable[..., BaseSampler]] = {
    "tpe": samplers.TPESampler,
    "gp": samplers.GPSampler,
    "cmaes": samplers.CmaEsSampler,
    "qmc": samplers.QMCSampler,
}
PRUNERS: dict[str, Callable[..., BasePruner]] = {
    "none": pruners.NopPruner,
    "median": pruners.MedianPruner,
    "asha": pruners.SuccessiveHalvingPruner,
    "hyperband": pruners.HyperbandPruner,
    ONE_BY_ONE: pruners.WilcoxonPruner,
}


def grid_of(space: Space, points: int) -> dict[str, list[Any]]:
    """Return the grid, in one order for all arms.

    Raises:
        UserError: It has more nodes than anybody could train.
    """
    grid = space.grid(points)
    nodes = math.prod(map(len, grid.values()))
    if nodes > MOST:
        raise UserError(
            f"search.sampler.points={points} makes a grid of {nodes:,} settings; type fewer, or "
            "name fewer in search.settings."
        )
    return grid


def _quietly(make: Callable[..., T], **options: Any) -> T:
    """Make what Optuna calls experimental: its version is pinned and stands in the record."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return make(**options)


def _fresh(taken: Sequence[int]) -> str:
    first = max(taken) + 1000
    return f"{first},{first + 1},{first + 2}"
