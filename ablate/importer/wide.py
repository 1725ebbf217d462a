"""A table with a column for each metric, as a row for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ablate.importer.cells import numbers
from ablate.importer.columns import few, nearest, others
from ablate.metric import either_way, known

EMPTY = "(empty cell)"  # a column of our own among those of the file


def refuse_metrics(frame: pd.DataFrame, metrics: Mapping[str, str], problems: list[str]) -> bool:
    """Tell of metrics whose column is not there; return whether all are there."""
    told = len(problems)
    problems += [
        f"--metric {_typed(name, theirs)}: the file has no column {theirs!r}; "
        f"{nearest(theirs, list(map(str, frame)))}."
        for name, theirs in metrics.items()
        if theirs not in frame
    ]
    own = [name for name in ("metric", "value") if metrics and name in frame]
    twice = [name for name in own if name not in metrics.values()]
    if twice:
        problems.append(
            f"--metric says which columns are metrics, and there is a column {twice[0]!r} as well; "
            f"leave --metric out, or type --ignore {twice[0]} too."
        )
    return len(problems) == told


def melted(
    frame: pd.DataFrame, metrics: Mapping[str, str], problems: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a row for each metric of `metrics`, and which of them have an empty cell.

    Args:
        frame: As the file has it.
        metrics: Name -> the column that holds it.
        problems: Gets one sentence for each column that holds no numbers.
    """
    if not metrics:
        return frame, np.zeros(len(frame), dtype="bool")
    rest = frame.drop(columns=list(set(metrics.values())))
    parts = [
        rest.assign(metric=name, value=numbers(frame[theirs], problems))
        for name, theirs in metrics.items()
    ]
    empty = np.concatenate([frame[theirs].isna() for theirs in metrics.values()])
    return pd.concat(parts, ignore_index=True), empty


def not_measured(frame: pd.DataFrame, trials: np.ndarray) -> np.ndarray:
    """Return which rows are empty because their metric was measured at other images alone.

    A log has a row for whatever was measured, and leaves the rest of it empty; `nan` is a failure.

    Args:
        frame: With metric and `EMPTY`.
        trials: `[N]`, the trial of each row.
    """
    sound = (~frame[EMPTY]).groupby([trials, frame["metric"]]).transform("any")
    return (frame[EMPTY] & sound).to_numpy()


def offered(frame: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return what to type for the metrics that a table without `metric` and `value` may hold."""
    left = [
        name
        for name in others(frame, columns)
        if (known(name) or either_way(name)) and _holds_numbers(frame[name])
    ]
    if not left:
        return "type --metric COLUMN for each column that is one" + (
            f" (there are {few(others(frame, columns))})" if others(frame, columns) else ""
        )
    return "type " + " ".join(f"--metric {name}" for name in left)


def _holds_numbers(column: pd.Series) -> bool:
    quiet: list[str] = []
    return bool(numbers(column, quiet).notna().any()) and not quiet


def _typed(name: str, theirs: str) -> str:
    return name if name == theirs else f"{name}={theirs}"
