"""A study's config as a plan: arms by a design, every arm checked, trials for every seed.

Legend: A arms, S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from omegaconf import DictConfig

from ablate.assemble import check
from ablate.catalog import nearest, trick_class, unknown
from ablate.compose import resolved, seed_of, trial_of
from ablate.data import Dataset
from ablate.errors import UserError
from ablate.plan.design import DESIGNS, REFERENCE, Arm
from ablate.trial import Trial

KEYS = ("design", "tricks", "always", "seeds", "workers", "stack")


@dataclass(frozen=True)
class PlannedArm:
    """An arm and what is known about it before training.

    Attributes:
        arm: Label and tricks.
        refused: Why it cannot be trained; empty where it can.
        doubts: What a reader of its results should know.
    """

    arm: Arm
    refused: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A study before training.

    Attributes:
        design: Name of the design.
        arms: All A of them, those that cannot be trained included.
        seeds: S training seeds.
        trials: Of the arms that can be trained, all arms of a seed before the next seed, so that
            what is finished at any moment is close to complete blocks.
        images: Shown to D in one trial, the last batch included.
    """

    design: str
    arms: tuple[PlannedArm, ...]
    seeds: tuple[int, ...]
    trials: tuple[Trial, ...]
    images: int

    def summary(self) -> dict[str, Any]:
        """Return what `study.json` holds: the arms, and why some cannot be trained."""
        arms = [
            {"arm": p.arm.name, "tricks": list(p.arm.tricks), "refused": list(p.refused),
             "doubts": list(p.doubts)}
            for p in self.arms
        ]  # fmt: skip
        return {
            "design": self.design,
            "reference": REFERENCE,
            "seeds": list(self.seeds),
            "arms": arms,
            "images": self.images,
        }


def plan_of(config: DictConfig, dataset: Dataset) -> Plan:
    """Return the plan of a composed study.

    Raises:
        UserError: A key is wrong, or too little of the study can be trained; all reasons at once.
    """
    study = resolved(config)["study"]
    check_keys(study)
    whole = trial_of(config, dataset)
    check_settings(whole)
    always = names_in(study, "always", whole)
    under_test = names_in(study, "tricks", whole) or [t for t in whole.tricks if t not in always]
    if not under_test:
        raise UserError("The study has no trick to test; type trick=[label_smooth,ema_g].")
    seeds = seeds_of(study["seeds"])
    arms = DESIGNS[study["design"]](
        [t for t in under_test if t not in always],
        [t for t in whole.tricks if t in always or t not in under_test],
    )
    trials = {arm.name: trial_for(whole, arm) for arm in arms}
    planned = tuple(checked(arm, trials[arm.name], dataset) for arm in arms)
    refuse_hopeless(planned)
    good = [trials[p.arm.name] for p in planned if not p.refused]
    return Plan(
        study["design"],
        planned,
        tuple(seeds),
        tuple(trial.at_seed(seed) for seed in seeds for trial in good),
        images_of(whole),
    )


def check_keys(study: Mapping[str, Any]) -> None:
    """Refuse keys that a study does not have, and designs that do not exist."""
    for key in study:
        if key not in KEYS:
            raise UserError(f"There is no key 'study.{key}'; {nearest(key, KEYS)}.")
    if study["design"] not in DESIGNS:
        raise unknown("design", str(study["design"]), list(DESIGNS))
    for key in ("workers", "stack"):
        value = study[key]
        if value is not None and (not isinstance(value, int) or value < 1):
            raise UserError(f"study.{key}={value} must be a whole number of at least 1, or null.")


def check_settings(whole: Trial) -> None:
    """Refuse settings that a trick cannot take: a mistake of the study, not of one of its arms.

    Raises:
        UserError: All of them at once.
    """
    wrong = []
    for name, settings in whole.tricks.items():
        try:
            trick_class(name).stack([settings])
        except UserError as error:
            wrong.append(str(error))
    if wrong:
        raise UserError("\n".join(wrong))


def names_in(study: Mapping[str, Any], key: str, whole: Trial) -> list[str]:
    """Return a list of selected tricks that the study names."""
    names = study[key] or []
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in whole.tricks:
            chosen = ",".join([*whole.tricks, str(name)])
            raise UserError(
                f"study.{key} names {name}, which is not selected; type trick=[{chosen}]."
            )
    return names


def seeds_of(value: Any) -> list[int]:
    """Return the seeds, each once.

    Raises:
        UserError: They are not a list of different seeds.
    """
    seeds = [seed_of(seed, "study.seeds") for seed in value] if isinstance(value, list) else []
    if not seeds or len(set(seeds)) != len(seeds):
        raise UserError(f"study.seeds={value} must be a list of different seeds: [0,1,2].")
    return seeds


def trial_for(whole: Trial, arm: Arm) -> Trial:
    """Return the arm's trial, its tricks set as they are in the whole selection."""
    return replace(whole, tricks={t: whole.tricks[t] for t in sorted(arm.tricks)}, arm=arm.name)


def checked(arm: Arm, trial: Trial, dataset: Dataset) -> PlannedArm:
    """Return the arm with everything that its tricks have against each other, data or networks."""
    problems = check(trial, dataset)
    return PlannedArm(
        arm,
        tuple(dict.fromkeys(p.sentence for p in problems if p.refuse)),
        tuple(dict.fromkeys(p.sentence for p in problems if not p.refuse)),
    )


def refuse_hopeless(planned: Sequence[PlannedArm]) -> None:
    """Refuse a study without its reference, or with nothing to compare to it.

    Raises:
        UserError: All reasons, each once.
    """
    reference, *others = planned
    if reference.refused or all(p.refused for p in others):
        reasons = dict.fromkeys(r for p in planned for r in p.refused)
        raise UserError("\n".join(reasons))


def images_of(trial: Trial) -> int:
    """Return the images that a trial's budget comes to in whole batches."""
    images, batch = int(trial.budget["images"]), int(trial.train["batch_size"])
    return -(-images // batch) * batch
