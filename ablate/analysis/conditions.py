"""Arms compare only if everything but the tricks and the seed is the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.analysis.arms import flatten
from ablate.errors import UserError


def where(frame: pd.DataFrame, conditions: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows trained under `conditions`, as in `{"data.name": "digits"}`.

    Raises:
        UserError: No row is left.
    """
    for key, wanted in conditions.items():
        value = frame["conditions"].map(lambda text, key=key: flatten(json.loads(text)).get(key))
        if not (value.astype(str) == str(wanted)).any():
            known = sorted(value.astype(str).unique())
            raise UserError(f"No trial has {key}={wanted}; choose one of {known}.")
        frame = frame[value.astype(str) == str(wanted)]
    return frame


def require_one_condition(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the conditions of all rows: data, model, budget, metric, train.

    Raises:
        UserError: There are several; the sentence names what differs.
    """
    found = [json.loads(text) for text in sorted(frame["conditions"].unique())]
    if len(found) == 1:
        return dict(found[0])
    flat = [flatten(conditions) for conditions in found]
    keys = sorted({key for conditions in flat for key in conditions})
    values = {key: sorted({str(conditions.get(key)) for conditions in flat}) for key in keys}
    differing = {key: several for key, several in values.items() if len(several) > 1}
    key, several = next(iter(differing.items()))
    told = "; ".join(f"{name} is {' and '.join(texts)}" for name, texts in differing.items())
    raise UserError(
        f"These trials were not trained under the same conditions ({told}); "
        f"choose one, as in where={{{key!r}: {several[0]!r}}}."
    )
