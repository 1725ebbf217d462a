"""Arms compare only if everything but the tricks and the seed is the same."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from ablate.analysis.arms import flatten
from ablate.analysis.sources import PREFIX, where_code
from ablate.errors import UserError

UNTOLD = "not told"  # by an imported table


def where(frame: pd.DataFrame, conditions: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows trained under `conditions`, as in `{"data.name": "digits"}`.

    Raises:
        UserError: No row is left.
    """
    for key, wanted in conditions.items():
        if key.startswith(PREFIX):
            frame = where_code(frame, key.removeprefix(PREFIX), str(wanted))
            continue
        value = frame["conditions"].map(lambda text, key=key: flatten(json.loads(text)).get(key))
        if not (value.astype(str) == str(wanted)).any():
            known = sorted(value.astype(str).unique())
            raise UserError(f"No trial has {key}={wanted}; choose one of {known}.")
        frame = frame[value.astype(str) == str(wanted)]
    return frame


def require_one_condition(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the conditions of all rows: data, model, budget, metric, train.

    Raises:
        UserError: There are several; the sentence names all that differs, with both values.
    """
    folders = frame.groupby("conditions")["study"].unique()
    if len(folders) == 1:
        return dict(json.loads(folders.index[0]))
    flat = {text: _known(flatten(json.loads(text))) for text in folders.index}
    values: dict[str, dict[str, set[str]]] = {}  # key -> value -> the folders that have it
    for key in sorted({key for one in flat.values() for key in one}):
        for text, one in flat.items():
            value = str(one.get(key, UNTOLD))
            values.setdefault(key, {}).setdefault(value, set()).update(folders[text])
    differing = {key: several for key, several in values.items() if len(several) > 1}
    told = f"These trials were not trained under the same conditions ({_told(differing)}); "
    raise UserError(f"{told}{_remedy(differing)}.", f"{told}{_typed(differing)}.")


def _known(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return `flat` without groups of which an imported table tells nothing."""
    return {key: value for key, value in flat.items() if value != {}}


def _told(differing: Mapping[str, Mapping[str, Collection[str]]]) -> str:
    return "; ".join(
        f"{key} is "
        + " and ".join(
            f"{value} in {', '.join(sorted(folders))}" for value, folders in sorted(several.items())
        )
        for key, several in differing.items()
    )


def _remedy(differing: Mapping[str, Mapping[str, Collection[str]]]) -> str:
    """Return what to give: which of two, or that an imported table was trained alike."""
    choices = [f"where={{{key!r}: {value!r}}}" for key, value in _choices(differing)]
    alike = "import the table again with like=, the folder that it was trained alike"
    return _either(choices, alike, differing)


def _typed(differing: Mapping[str, Mapping[str, Collection[str]]]) -> str:
    """Return the same for the command line."""
    choices = [f"--where {key}={value}" for key, value in _choices(differing)]
    alike = "import the table again with --like DIR, the folder that it was trained alike"
    return _either(choices, alike, differing)


def _choices(differing: Mapping[str, Mapping[str, Collection[str]]]) -> list[tuple[str, str]]:
    return [
        (key, sorted(set(several) - {UNTOLD})[0])
        for key, several in differing.items()
        if len(set(several) - {UNTOLD}) > 1
    ]


def _either(
    choices: list[str], alike: str, differing: Mapping[str, Mapping[str, Collection[str]]]
) -> str:
    untold = any(UNTOLD in several for several in differing.values())
    if not choices:
        return alike
    return f"choose one, as in {choices[0]}" + (f", or {alike}" if untold else "")
