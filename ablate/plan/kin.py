"""Trials of a results folder that are those of a plan but for their code: whose results are they?

They are other trials, and are trained again. With `code=recorded` they count as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablate.config.sources import sources_of
from ablate.errors import UserError
from ablate.plan.study import Plan
from ablate.store.layout import ended
from ablate.store.record import Damaged, read_json, trial_of
from ablate.trial import Trial

CURRENT, RECORDED = "current", "recorded"
WHOLE = {"core": "ablate's training core", "metric": "ablate's metrics", "model": "the networks"}
UNTOLD = " (trained before a trial kept its source, so nobody can tell whether it has changed)"


@dataclass(frozen=True)
class Kin:
    """A trial that has results, and the one of today that it would be but for its code.

    Attributes:
        recorded: As it was trained.
        wanted: As it would be trained now.
        path: Its results.
    """

    recorded: Trial
    wanted: Trial
    path: Path

    def parts(self) -> dict[str, bool]:
        """Return the parts that differ -> whether the earlier trial recorded its source."""
        then, now = self.recorded.code, self.wanted.code
        parts = [part for part in sorted({*then, *now}) if then.get(part) != now.get(part)]
        return {part: part in then or not isinstance(now[part], str) for part in parts}

    def files(self) -> set[str]:
        """Return the modules of the user's own that are not what they were."""
        try:
            then = read_json(self.path, "provenance.json").get("sources", {})
        except Damaged:
            return set()
        now = sources_of(self.wanted.tricks, self.wanted.model)
        return {m for m in {*then, *now} if then.get(m) != now.get(m)} if then else set()


def check_code(code: Any) -> None:
    """Refuse what `code=` cannot mean.

    Raises:
        UserError: The sentence says what it can.
    """
    if code not in (CURRENT, RECORDED):
        raise UserError(
            f"code={code} is none; type code={CURRENT} to train again what earlier sources have "
            f"trained, or code={RECORDED} to count their results as they are."
        )


def kin_of(folder: Path, trials: Sequence[Trial]) -> list[Kin]:
    """Return the trials of a folder that differ from some of these in their code, newest first."""
    there = ended(folder)
    strangers = there - {trial.id for trial in trials} if there else set()
    # both are hashes of all that a trial is, and there may be a million
    wanted = {trial.kin: trial for trial in trials if trial.id not in there} if strangers else {}
    found = []
    for name in strangers:
        path = folder / "trials" / name
        try:
            trial = trial_of(read_json(path, "trial.json"))
        except (Damaged, KeyError, TypeError):
            continue  # what reads results names it
        if trial.kin in wanted:
            found.append(Kin(trial, wanted[trial.kin], path))
    return sorted(found, key=lambda kin: kin.path.stat().st_mtime, reverse=True)


def adopt(plan: Plan, kin: Sequence[Kin]) -> Plan:
    """Return a plan with what earlier code has trained in place of what it would be now."""
    instead: dict[str, Trial] = {}
    for one in kin:
        instead.setdefault(one.wanted.id, one.recorded)

    def taken(trial: Trial) -> Trial:
        return replace(instead[trial.id], arm=trial.arm) if trial.id in instead else trial

    return replace(
        plan,
        trials=tuple(map(taken, plan.trials)),
        arms=tuple(replace(arm, trial=taken(arm.trial)) for arm in plan.arms),
        adopted={trial.id: dict(one.wanted.code) for one in kin
                 if (trial := instead[one.wanted.id]) is one.recorded},
    )  # fmt: skip


def of_plan(plan: Plan, folder: Path, code: Any) -> tuple[Plan, list[Kin], str | None]:
    """Return a plan as `code=` wants it, what in its folder is its kin, and what to say of that.

    Raises:
        UserError: `code=` is none.
    """
    check_code(code)
    kin = kin_of(folder, plan.trials)
    if not kin:
        return plan, kin, None
    return adopt(plan, kin) if code == RECORDED else plan, kin, told(kin, folder, code)


def told(kin: Sequence[Kin], folder: Path, code: str) -> str:
    """Return whose results earlier ones are, why, and what to type for the other way."""
    count = len({one.wanted.id for one in kin})
    trials = "1 trial" if count == 1 else f"{count} trials"
    parts: dict[str, bool] = {}
    for one in kin:
        parts |= {part: known and parts.get(part, True) for part, known in one.parts().items()}
    files = sorted({file for one in kin for file in one.files()})
    where = f" (module{'s' if len(files) > 1 else ''} {', '.join(files)})" if files else ""
    what = " and ".join(name_of(part) for part in parts) + where
    unknown = "" if all(parts.values()) else UNTOLD
    if code == RECORDED:
        return (
            f"{trials} in {folder} count as they are, by code={RECORDED}: they were trained by "
            f"another source of {what}{unknown}."
        )
    return (
        f"{trials} in {folder} had the same config and another source of {what}{unknown}. What is "
        f"there is not taken, but trained again beside it. Type code={RECORDED} to count it as it "
        "is, or out=results/NAME to leave that folder alone."
    )


def name_of(part: str) -> str:
    """Return a part of the code as a person calls it."""
    return WHOLE.get(part, f"trick {part.removeprefix('trick.')}")
