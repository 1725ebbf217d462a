"""The arms of a table: by name, by one 0/1 column a trick, or by both where they agree."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.layout import fraction_of
from ablate.importer.cells import (
    alike,
    is_switch,
    lacks_cells,
    short,
    stripped,
    switched,
    where,
    words,
)
from ablate.importer.columns import few, nearest, others
from ablate.trial import canonical

REFERENCE = "reference"
OFF, ON = "off", "on"
DEEPEST = 8  # of settings in settings


def with_arms(
    frame: pd.DataFrame, known: Sequence[str], problems: list[str], called: Mapping[str, str]
) -> list[str]:
    """Give `frame` its column `arm` and return the columns that are tricks.

    Columns of on and off are tricks if they name the arms: one combination an arm, and one arm a
    combination. Without a column `arm` each combination is an arm, called by what is on.

    Args:
        frame: Under our names.
        known: Columns that are no tricks.
        problems: Gets one sentence for everything that is not clear.
        called: An arm of the table -> its name; one that stays as it is has been looked at.
    """
    switches = [name for name in others(frame, known) if is_switch(frame[name])]
    if "imported" in switches:
        problems.append("A trick may not be called 'imported'; rename the column.")
    for name in switches:
        frame[name] = switched(frame[name])
    if "arm" in frame:
        frame["arm"] = words(frame["arm"])
        frame["arm"] = frame["arm"].mask(frame["arm"] == "")
        if frame["arm"].isna().any():
            row = int(np.flatnonzero(frame["arm"].isna())[0]) + 1
            problems.append(f"arm in row {row} is empty; give every row its arm.")
        frame["arm"] = _renamed(frame["arm"], called, problems)
        return _naming(frame, switches)
    gaps = [name for name in others(frame, known) if lacks_cells(frame[name])]
    problems += [
        f"Column {name!r} is on or off in some rows and empty in others; fill it in, or type "
        f"--ignore {name}."
        for name in gaps
    ]
    if not switches and not gaps:
        problems.append(
            "There is no column 'arm' and no column of 0 and 1 for each trick; type "
            f"--column arm=COLUMN (there are {few(others(frame, known))})."
        )
    if not switches:
        return []
    sets = frame[switches].drop_duplicates()
    named = ["+".join(name for name in switches if row[name]) for row in sets.to_dict("records")]
    sets = sets.assign(arm=pd.array([name or REFERENCE for name in named], dtype="str"))
    frame["arm"] = frame[switches].merge(sets, on=switches, how="left")["arm"].to_numpy()
    frame["arm"] = _renamed(frame["arm"].astype("str"), called, problems)
    return switches


def _renamed(arms: pd.Series, called: Mapping[str, str], problems: list[str]) -> pd.Series:
    """Return the arms by their names; those that nearly have one name are doubted."""
    known = sorted(arms.dropna().unique())
    problems += [
        f"--arm {arm}={name}: there is no arm {arm!r}; {nearest(arm, known)}."
        for arm, name in called.items()
        if arm not in known
    ]
    counts = arms.value_counts()
    for group in alike(arms[~arms.isin(list(called))]):
        rare, *_, usual = sorted(group, key=lambda arm: (counts[arm], arm))
        problems.append(
            f"Arms {' and '.join(map(repr, group))} differ only by case, blanks or dashes; type "
            f"--arm '{rare}={usual}' if they are one, or --arm '{rare}={rare}' if they are not."
        )
    return arms.replace({arm: stripped(name) for arm, name in called.items()})


def _naming(frame: pd.DataFrame, switches: Sequence[str]) -> list[str]:
    """Return the 0/1 columns, if each arm has its own combination of them."""
    by_arm = frame.groupby("arm")
    fixed = [name for name in switches if (by_arm[name].min() == by_arm[name].max()).all()]
    arms = frame.drop_duplicates("arm")
    return fixed if fixed and not arms.duplicated(fixed).any() else []


def reference_among(
    frame: pd.DataFrame, tricks: Sequence[str], asked: str | None, problems: list[str]
) -> str:
    """Return the arm that others are compared with: as asked, as called, or with all tricks off."""
    arms = sorted(frame["arm"].dropna().unique())
    if asked is not None:
        if asked not in arms:
            problems.append(f"There is no arm {asked!r}; {nearest(asked, arms)}.")
        return asked
    if REFERENCE in arms:
        return REFERENCE
    bare = frame.loc[~frame[list(tricks)].any(axis=1), "arm"] if tricks else frame["arm"][:0]
    if len(bare):
        return str(bare.iloc[0])
    problems.append(
        f"No arm is called {REFERENCE!r}" + (" and none has all tricks off" if tricks else "") +
        f"; type --reference ARM with one of {few(arms)}."
    )  # fmt: skip
    return ""


def identities(frame: pd.DataFrame, tricks: Sequence[str], study: str) -> Mapping[str, str]:
    """Return arm -> `tricks` of `schema.TRIAL`.

    Settings are not known, so an imported arm is never taken for one that was trained here or
    imported from another table: where it is from is a part of it.
    """
    return {
        row["arm"]: canonical(
            {"imported": {"arm": row["arm"], "from": study}}
            | {name: {} for name in tricks if row[name]}
        )
        for row in frame[["arm", *tricks]].drop_duplicates("arm").to_dict("records")
    }


def settings_told(column: pd.Series, problems: list[str]) -> pd.Series:
    """Return the column `tricks` as ours is written; an empty cell stays missing.

    Args:
        column: As the table has it.
        problems: Gets a sentence if a cell is no JSON of trick -> settings.
    """
    text = words(column).mask(lambda told: told == "")
    read = {one: _settings(one) for one in text.dropna().unique()}
    found = text.map(read, na_action="ignore").astype("str")
    wrong = text.notna() & (found == "")
    if wrong.any():
        problems.append(
            f"{where(text, wrong)} is no JSON of tricks and their settings, as in "
            '{"r1": {"gamma": 1.0}}; write it so, or type --ignore tricks.'
        )
    return found


def refuse_merged(trials: pd.DataFrame, problems: list[str]) -> None:
    """Tell of arms whose tricks are said to be equal: all that is compared would be one arm.

    Args:
        trials: One row a trial.
        problems: As everywhere.
    """
    rows = trials.groupby(["tricks", "seed"])["arm"].unique().reset_index()
    twice = rows[rows["arm"].map(len) > 1]
    if len(twice):
        one = twice.iloc[0]
        problems.append(
            f"Arms {' and '.join(map(repr, sorted(one['arm'])[:2]))} have the same tricks under "
            f"seed {one['seed']}, {short(str(one['tricks']))}, and would be one; write what each "
            "has, or type --ignore tricks."
        )


def _settings(text: str) -> str:
    """Return a trick set in our own spelling, empty where it is none."""
    try:
        read = json.loads(text)
        of_tricks = isinstance(read, dict) and all(isinstance(one, dict) for one in read.values())
        return canonical(read) if of_tricks and _is_flat(read) else ""
    except (ValueError, RecursionError):  # a number that is not finite is refused as well
        return ""


def _is_flat(value: Any, left: int = DEEPEST) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_is_flat(one, left - 1) for one in inner)


def plan_of(frame: pd.DataFrame, tricks: Sequence[str]) -> dict[str, Any]:
    """Return design, factors and arms for study.json."""
    table = frame[["arm", *tricks]].drop_duplicates("arm").sort_values("arm")
    arms = [
        {
            "arm": row["arm"],
            "tricks": [name for name in tricks if row[name]],
            "levels": {name: ON if row[name] else OFF for name in tricks},
            "seeds": None,
            "refused": [],
            "doubts": [],
        }
        for row in table.to_dict("records")
    ]
    factors = {name: [OFF, ON] for name in tricks}
    design = design_of(table[list(tricks)].to_numpy(dtype="float64"))
    return {"design": design, "factors": factors, "arms": arms, "aliases": []}


def design_of(on: np.ndarray) -> str:
    """Return which design arms `[J, F]` of 0 and 1 are; "imported" if they are no balanced one.

    Three quarters of the arms of a factorial, or of a regular fraction, are one with absent arms:
    as many are left by two tricks that cannot be on together.
    """
    arms, factors = on.shape
    if factors < 2 or arms < 4:
        return "imported"
    of, signs = fraction_of(on.astype(bool)), np.column_stack([np.ones(arms), 2 * on - 1])
    if np.array_equal(signs.T @ signs, arms * np.eye(factors + 1)):
        if arms == 2**factors:
            return "full_factorial"
        return "fractional_factorial" if arms & (arms - 1) == 0 else "plackett_burman"
    if len(np.unique(on, axis=0)) == arms >= 3 / 4 * of:
        return "full_factorial" if of == 2**factors else "fractional_factorial"
    return "imported"
