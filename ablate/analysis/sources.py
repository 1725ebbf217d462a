"""Arms compare only if the same code trained them, whatever their configs say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.errors import UserError

PREFIX = "code."  # of a condition that names a part of the code
FIRST = "1 or not recorded"


def where_code(frame: pd.DataFrame, part: str, wanted: str) -> pd.DataFrame:
    """Return the rows that one source of a part has trained; arms without the part stay.

    Raises:
        UserError: No trial was trained by it.
    """
    told = parts_of(frame).get(part, {})
    if wanted not in told.values():
        raise UserError(
            f"No trial has {PREFIX}{part}={wanted}; choose one of {sorted(set(told.values()))}."
        )
    others = {trial for trial, value in told.items() if value != wanted}
    return frame[~frame["trial"].isin(others)]


def parts_of(frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return part -> trial -> the code of it; of a trick's code, the trials that have the trick."""
    code: Mapping[str, Mapping[str, Any]] = frame.attrs.get("code", {})
    once = frame.drop_duplicates("trial")
    trials: dict[str, str] = dict(zip(once["trial"], once["tricks"], strict=True))
    found: dict[str, dict[str, str]] = {}
    for part in sorted({part for trial in trials for part in code.get(trial, {})}):
        trick = part.removeprefix("trick.") if part.startswith("trick.") else None
        found[part] = {
            trial: str(code[trial].get(part, FIRST))
            for trial, tricks in trials.items()
            if trial in code and (trick is None or trick in json.loads(tricks))
        }
    return found


def require_one_source(frame: pd.DataFrame) -> None:
    """Refuse rows that two sources of one part have trained.

    Raises:
        UserError: The sentence names the part, which trials are whose, and what to type.
    """
    arms = frame.drop_duplicates("trial").set_index("trial")
    for part, told in parts_of(frame).items():
        several: dict[str, list[str]] = {}
        for trial, value in told.items():
            several.setdefault(value, []).append(trial)
        if len(several) > 1:
            each = "; ".join(
                f"{value}: {_counted(arms.loc[trials])}"
                for value, trials in sorted(several.items())
            )
            raise UserError(
                f"These trials were not trained by the same code of {part} ({each}); choose one, "
                f"as in --where {PREFIX}{part}={sorted(several)[0]}."
            )


def _counted(trials: pd.DataFrame) -> str:
    """Return how many trials of which arms lie where."""
    count = "1 trial" if len(trials) == 1 else f"{len(trials)} trials"
    arms, folders = (", ".join(sorted(set(trials[column]))) for column in ("arm", "study"))
    return f"{count} of {arms} in {folders}"
