"""Rows of a table as trials: which rows are one, what is true of it as a whole, and its id."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.conditions import UNTOLD
from ablate.importer.cells import filled, numbers, whole
from ablate.store.schema import TRIAL
from ablate.trial import canonical

SAID = ("data", "model", "budget_images")
CONDITIONS = ("data", "model", "budget", "metric", "train")
ID = r"[0-9a-f]{16}"  # what a table that was exported from here has as `trial`


def trial_codes(frame: pd.DataFrame) -> np.ndarray:
    """Return for every row the number of its trial: by id, else by arm, seed and conditions."""
    if has_ids(frame):
        return frame["trial"].factorize()[0]
    keys = ["arm", "seed", "data", "model", "budget_images", "conditions"]
    by = [key for key in keys if key in frame]
    return frame.groupby(by, dropna=False, sort=False).ngroup().to_numpy()


def has_ids(frame: pd.DataFrame) -> bool:
    """Return whether the table brings ids of ours."""
    return "trial" in frame and bool(filled(frame["trial"], "").str.fullmatch(ID).all())


def trials_of(frame: pd.DataFrame, codes: np.ndarray, problems: list[str]) -> pd.DataFrame:
    """Return one row a trial: those columns of `schema.TRIAL` that the table has.

    A column may be filled in some rows of a trial only; where rows disagree, that is told.
    """
    of_trial = {column.name: column for column in TRIAL if column.name not in ("study", "trial")}
    present = [name for name in of_trial if name in frame]
    typed = {}
    for name in present:
        dtype = of_trial[name].dtype
        if dtype == "str":
            typed[name] = filled(frame[name], "").mask(lambda text: text == "")
        elif name == "images_shown" or dtype == "float64":
            typed[name] = numbers(frame[name], problems)
        else:
            typed[name] = whole(frame[name], problems)
    groups = pd.DataFrame(typed).groupby(codes, sort=True)
    for name in present:
        several = groups[name].nunique() > 1
        if several.any():
            row = int(np.flatnonzero(codes == several.index[several][0])[0])
            one = f"arm {frame['arm'].iloc[row]!r}, seed {frame['seed'].iloc[row]}"
            problems.append(
                f"{name} differs between rows of one trial ({one}, and {int(several.sum()) - 1} "
                f"more trials); give all rows of a trial the same {name}."
            )
    return groups.first()


def with_status(trials: pd.DataFrame, otherwise: str | None, problems: list[str]) -> pd.DataFrame:
    """Return `trials` with `status` and `reason`.

    Args:
        trials: One row a trial, its `status` of `STATUSES`.
        otherwise: The status of a trial without one; where no trial has one, each is `done`.
        problems: As everywhere.
    """
    status = trials["status"] if "status" in trials else pd.Series(None, trials.index, "object")
    lacking = int(status.isna().sum())
    if 0 < lacking < len(status) and otherwise is None:
        problems.append(
            f"status of {lacking} trial{'' if lacking == 1 else 's'} is empty and others have one; "
            "fill it in, or type --status =done if they are done, or --status =crashed."
        )
    trials = trials.assign(status=filled(status, otherwise or "done"))
    reason = filled(trials["reason"], "") if "reason" in trials else ""
    return trials.assign(reason=reason)


def with_conditions(
    trials: pd.DataFrame, like: str | None, images: int, problems: list[str]
) -> pd.DataFrame:
    """Return `trials` with `conditions`, and data, model and budget as they say.

    Args:
        trials: One row a trial.
        like: The conditions of another study, if they were the same.
        images: The budget where the table tells none.
        problems: As everywhere.
    """
    if like is not None:
        trials = trials.assign(conditions=like)
    elif "conditions" not in trials:
        trials = trials.assign(conditions=_conditions(trials, images))
    trials = trials.assign(conditions=trials["conditions"].fillna(""))
    read = {text: _said(text, problems) for text in trials["conditions"].unique()}
    said = pd.DataFrame(list(trials["conditions"].map(read)), trials.index, list(SAID))
    for key in [key for key in SAID if key in trials]:
        other = trials[key].notna() & said[key].notna() & (trials[key] != said[key])
        if other.any():
            problems.append(
                f"{key} is {trials[key][other].iloc[0]!r} in the table and "
                f"{said[key][other].iloc[0]!r} in its conditions; take one of the two away."
            )
    return trials.assign(**said)


def _said(text: str, problems: list[str]) -> tuple[str, str, int] | tuple[None, None, None]:
    """Return data, model and budget of `conditions`."""
    try:
        read = json.loads(text)
        assert set(CONDITIONS) <= set(read)
        return read["data"]["name"], read["model"]["name"], int(read["budget"]["images"])
    except (AssertionError, KeyError, TypeError, ValueError):
        problems.append(
            f"conditions {text[:60]!r} are no JSON of {', '.join(CONDITIONS)}; take the column "
            "out of the file."
        )
        return None, None, None


def _conditions(trials: pd.DataFrame, images: int) -> list[str]:
    """Return `conditions` of every trial from its own columns."""
    empty = pd.Series(None, trials.index, dtype="object")
    given: dict[str, str | int] = {"data": UNTOLD, "model": UNTOLD, "budget_images": images}
    columns = [trials.get(key, empty).fillna(otherwise) for key, otherwise in given.items()]
    rows = list(zip(*columns, strict=True))
    texts = {}
    for data, model, budget in set(rows):
        parts: dict[str, Any] = {key: {} for key in CONDITIONS}
        parts |= {"data": {"name": data}, "model": {"name": model}}
        texts[data, model, budget] = canonical(parts | {"budget": {"images": int(budget)}})
    return [texts[row] for row in rows]


def with_ids(trials: pd.DataFrame, frame: pd.DataFrame, codes: np.ndarray) -> pd.DataFrame:
    """Return `trials` with `trial`: an id of ours, else 16 hex digits of all that is told of it.

    The results are hashed with the rest, so one table imported twice gives the same ids and two
    tables that disagree about an arm and a seed do not.
    """
    if has_ids(frame):
        first = np.unique(codes, return_index=True)[1]
        return trials.assign(trial=frame["trial"].to_numpy()[first])
    whole = ["arm", "seed", "status", "conditions"]
    sums = pd.util.hash_pandas_object(trials[whole], index=False).to_numpy().copy()
    values = ["images", "generator", "metric", "value"]
    rows = pd.util.hash_pandas_object(frame[values], index=False).to_numpy()
    np.add.at(sums, codes, rows)  # in 64 bits and in any order of rows
    return trials.assign(trial=[f"{one:016x}" for one in sums])


def last_images(images: pd.Series, codes: np.ndarray) -> pd.Series:
    """Return the largest number of images of each trial."""
    return images.groupby(codes, sort=True).max()
