"""A study's config as a plan: arms by a design, every arm checked, trials for every seed.

Legend: A arms, S seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import Any

from omegaconf import DictConfig

from ablate.config.catalog import entry, trick_class
from ablate.config.sources import code_of
from ablate.config.tree import resolved, seed_of, trial_of
from ablate.data import Dataset
from ablate.errors import UserError, unknown
from ablate.metrics.measured import measured
from ablate.plan import design
from ablate.plan.declared import declared
from ablate.plan.design import REFERENCE, Arm, Factors
from ablate.plan.factors import Factor, factors_of, tricks_in
from ablate.plan.fraction import aliases, fractional_factorial, plackett_burman
from ablate.plan.shapley import Orders, orders_of, shapley
from ablate.runner.build import check
from ablate.runner.inert import neutral_in
from ablate.trial import Trial

DESIGNS: dict[str, Callable[..., list[Arm]]] = {
    "one_at_a_time": design.one_at_a_time,
    "leave_one_out": design.leave_one_out,
    "pairs": design.pairs,
    "ladder": design.ladder,
    "full_factorial": design.full_factorial,
    "fractional_factorial": fractional_factorial,
    "plackett_burman": plackett_burman,
    "shapley": shapley,
    "random_subsets": design.random_subsets,
    "presets": design.listed,
    "explicit": design.listed,
}
LISTED = {"presets": ["presets"], "explicit": ["arms"]}  # these keys become the only factor
FRACTIONS = ("fractional_factorial", "plackett_burman")
MOST_WORKERS = 100_000
MOST_TRIALS = 1_000_000
# Of a study that names no seeds. At an SD of 0.1 between paired seeds 80 % of studies of 7 arms see
# a change by 25 % with 5 seeds, and none smaller than 58 % with 3; a factorial of 16 arms, all of
# which tell every effect, sees 10 % with 3 (`ablate.plan.power`).
USUAL_SEEDS = 5
FEW_SEEDS, MANY_ARMS = 3, 16
OPTIONS = ("resolution", "runs", "permutations", "subsets", "draw", "presets", "arms")


@dataclass(frozen=True)
class PlannedArm:
    """An arm and what is known about it before training.

    Attributes:
        arm: Label, levels, and seeds if not all.
        trial: What it trains, under the study's first seed.
        refused: Why it cannot be trained; empty where it can.
        doubts: What a reader of its results should know.
        idle: Tricks that change nothing, on this network and data or at these settings.
    """

    arm: Arm
    trial: Trial
    refused: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A study before training.

    Attributes:
        design: Name of the design.
        options: Of the design, as far as they were given.
        factors: Factor -> its levels, the reference's first.
        arms: All A of them, those that cannot be trained included.
        seeds: S training seeds.
        trials: Of the arms that can be trained, all arms of a seed before the next seed, so that
            what is finished at any moment is close to complete blocks.
        images: Shown to D in one trial, the last batch included.
        aliases: Groups of effects that a fraction cannot tell apart.
        orders: Training seed -> permutations, of a Shapley design that draws them.
        analysis: What was declared about it before training.
        adopted: Trial -> the code that it counts as, of those that earlier code has trained.
        stack: Trials at a time as they were declared, None for the rule of `ablate.plan.lease`.
    """

    design: str
    options: Mapping[str, Any]
    factors: Factors
    arms: tuple[PlannedArm, ...]
    seeds: tuple[int, ...]
    trials: tuple[Trial, ...]
    images: int
    aliases: Sequence[Sequence[str]]
    orders: Orders
    analysis: Mapping[str, Any]
    adopted: Mapping[str, Any] = field(default_factory=dict)
    stack: int | None = None

    def summary(self) -> dict[str, Any]:
        """Return what `study.json` holds of it: all that the analysis must know."""
        arms = [
            {"arm": p.arm.name, "tricks": list(p.trial.tricks), "levels": dict(p.arm.levels),
             "seeds": p.arm.seeds, "refused": p.refused, "doubts": p.doubts}
            for p in self.arms
        ]  # fmt: skip
        adopted = {"adopted": self.adopted} if self.adopted else {}
        return {
            **adopted,
            "design": self.design,
            "options": self.options,
            "reference": REFERENCE,
            "seeds": self.seeds,
            "images": self.images,
            "factors": self.factors,
            "arms": arms,
            "aliases": self.aliases,
            "permutations": self.orders,
            "analysis": self.analysis,
            "stack": self.stack,
        }


def plan_of(config: DictConfig | dict[str, Any], dataset: Dataset) -> Plan:
    """Return the plan of a composed study.

    Raises:
        UserError: A key is wrong, or too little of the study can be trained; all reasons at once.
    """
    study = resolved(config)["study"]
    check_keys(study)
    is_given = study["seeds"] is not None
    whole = trial_of(config, dataset)
    study = {**study, "seeds": seeds_of(study["seeds"])}
    meaning = factors_of(study, list(whole.tricks))
    check_settings(whole, meaning)
    factors = {name: list(levels) for name, levels in meaning.items()}
    options = {key: study[key] for key in parameters(study["design"]) if study[key] is not None}
    rules = {} if study["design"] in LISTED else options
    arms = DESIGNS[study["design"]](factors, **rules)
    few = (
        not is_given
        and study["design"] in ("full_factorial", *FRACTIONS)
        and len(arms) >= MANY_ARMS
    )
    seeds = study["seeds"][:FEW_SEEDS] if few else study["seeds"]
    base = replace(whole, seed=seeds[0])
    planned = tuple(checked(arm, trial_for(base, arm, meaning), dataset) for arm in arms)
    refuse_twins(planned)
    refuse_hopeless(planned)
    refuse_endless(len(planned), len(seeds))
    good = [p for p in planned if not p.refused]
    return Plan(
        study["design"],
        {key: value for key, value in options.items() if key != "seeds"},
        factors,
        planned,
        tuple(seeds),
        tuple(p.trial.at_seed(s) for s in seeds for p in good if s in (p.arm.seeds or seeds)),
        whole.images,
        aliases(factors, arms) if study["design"] in FRACTIONS else [],
        orders_of(factors, **options) if study["design"] == "shapley" else {},
        declared(study["analysis"], len(seeds), len(good), measured(dataset, **whole.metric)),
        stack=study["stack"],
    )


def parameters(name: str) -> list[str]:
    """Return the keys of `study.` that a design takes."""
    return LISTED.get(name) or list(signature(DESIGNS[name]).parameters)[1:]


def check_keys(study: Mapping[str, Any]) -> None:
    """Refuse designs that do not exist, and options that a design does not take."""
    name = study["design"]
    if not isinstance(name, str) or name not in DESIGNS:
        raise unknown("design", str(name), list(DESIGNS))
    for key in OPTIONS:
        if study[key] is not None and key not in parameters(name):
            takers = [other for other in DESIGNS if key in parameters(other)]
            raise UserError(
                f"study.design={name} has no use for study.{key}; type study.{key}=null, or "
                f"study.design={' or '.join(takers)}."
            )
    if study["draw"] is not None:
        design.whole("draw", study["draw"], 0)
    for key in ("workers", "stack"):
        value = study[key]
        if value is not None:
            design.whole(key, value, 1, MOST_WORKERS)


def check_settings(whole: Trial, meaning: Mapping[str, Factor]) -> None:
    """Refuse settings that a trick cannot take: a mistake of the study, not of one of its arms.

    Raises:
        UserError: All of them at once.
    """
    given = [whole.tricks, *(tricks for levels in meaning.values() for tricks in levels.values())]
    wrong = dict[str, None]()
    for name, changes in (item for tricks in given for item in tricks.items()):
        try:
            trick_class(name).stack([settings_of(whole, name, changes)])
        except UserError as error:
            wrong[str(error)] = None
    if wrong:
        raise UserError("\n".join(wrong))


def seeds_of(value: Any) -> list[int]:
    """Return the seeds, each once; the usual ones of None.

    Raises:
        UserError: They are not a list of different seeds.
    """
    if value is None:
        return list(range(USUAL_SEEDS))
    seeds = [seed_of(seed, "study.seeds") for seed in value] if isinstance(value, list) else []
    if not seeds or len(set(seeds)) != len(seeds):
        raise UserError(f"study.seeds={value} must be a list of different seeds: [0,1,2].")
    return seeds


def settings_of(whole: Trial, trick: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a trick: as selected, else as in its yaml, and then as changed."""
    return {**(whole.tricks.get(trick) or entry(trick).settings), **changes}


def trial_for(whole: Trial, arm: Arm, meaning: Mapping[str, Factor]) -> Trial:
    """Return the arm's trial: what its levels switch on, and what is selected and no factor's."""
    governed = {trick for levels in meaning.values() for trick in tricks_in(levels)}
    changes: dict[str, dict[str, Any]] = {t: {} for t in whole.tricks if t not in governed}
    for factor, level in arm.levels.items():
        for trick, settings in meaning[factor][level].items():
            changes[trick] = {**changes.get(trick, {}), **settings}
    tricks = {t: settings_of(whole, t, changes[t]) for t in sorted(changes)}
    return replace(whole, tricks=tricks, arm=arm.name, code=code_of(tricks, whole.model))


def checked(arm: Arm, trial: Trial, dataset: Dataset) -> PlannedArm:
    """Return the arm with everything that its tricks have against each other, data or networks."""
    problems = check(trial, dataset)
    return PlannedArm(
        arm,
        trial,
        tuple(dict.fromkeys(p.sentence for p in problems if p.refuse)),
        tuple(dict.fromkeys(p.sentence for p in problems if not p.refuse)),
        tuple(sorted({p.idle for p in problems if p.idle} | neutral_in(trial.tricks))),
    )


def refuse_twins(planned: Sequence[PlannedArm]) -> None:
    """Refuse arms that come out the same: one trial cannot stand in two rows.

    Raises:
        UserError: The sentence names both.
    """
    names: dict[str, str] = {}
    for p in planned:
        other = names.setdefault(p.trial.id, p.arm.name)
        if other != p.arm.name:
            tricks = ", ".join(p.trial.tricks) or "no tricks"
            raise UserError(
                f"Arms '{other}' and '{p.arm.name}' come out the same ({tricks}, equal settings); "
                "drop the level, trick or arm that makes no difference."
            )


def refuse_endless(arms: int, seeds: int) -> None:
    """Refuse a study that nobody could finish.

    Raises:
        UserError: It has too many trainings.
    """
    if arms * seeds > MOST_TRIALS:
        raise UserError(
            f"{arms:,} arms under {seeds:,} seeds are {arms * seeds:,} trainings; name fewer "
            "factors, study.design=random_subsets, or fewer study.seeds."
        )


def refuse_hopeless(planned: Sequence[PlannedArm]) -> None:
    """Refuse a study without its reference, or with nothing to compare to it.

    Raises:
        UserError: All reasons, each once.
    """
    reference, *others = planned
    if reference.refused or all(p.refused for p in others):
        reasons = dict.fromkeys(r for p in planned for r in p.refused)
        raise UserError("\n".join(reasons) or "The study has one arm alone; name another.")
