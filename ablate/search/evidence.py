"""What a setting's trials have shown: read from their results, and nothing else.

A search is a function of the results folder. Whoever asks, whenever, reads the same numbers, so a
search that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.search.rules import Rules
from ablate.store.record import read_file, read_status
from ablate.trial import Trial


@dataclass(frozen=True)
class Evidence:
    """One trial.

    Attributes:
        status: How it ended; "" where it is under way.
        images: Shown to D.
        values: The metric at every evaluation so far, of the generator that counts.
        cost: The second objective, 0 without one.
    """

    status: str
    images: int
    values: tuple[float, ...]
    cost: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether it ended and has no result."""
        return self.status not in ("", "done", "pruned")


def values_of(rows: Iterable[Mapping[Any, Any]], metric: str) -> tuple[float, ...]:
    """Return the metric at every evaluation, of the averaged generator where there is one."""
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["metric"] == metric:
            found.setdefault(row["generator"], {})[row["images"]] = row["value"]
    averaged = [name for name in found if name != "raw"]
    best = found.get(averaged[0] if averaged else "raw", {})
    return tuple(best[images] for images in sorted(best))


def read_evidence(folder: Path, trial: Trial, rules: Rules) -> Evidence | None:
    """Return what a trial has come to, None where it has not ended.

    Raises:
        Damaged: Its folder cannot be read.
    """
    path = folder / "trials" / trial.id
    if not path.is_dir():
        return None
    status = read_status(path)
    content = read_file(path, "metrics.parquet", status)
    rows = pd.read_parquet(io.BytesIO(content)).to_dict("records")
    return Evidence(
        status["status"],
        status["images"],
        values_of(rows, rules.metric),
        float(status[rules.cost]) if rules.cost else 0.0,
    )


def means(found: Sequence[Evidence], rules: Rules) -> list[float]:
    """Return the mean over seeds at every evaluation that all trials have reached.

    On the scale on which arms are compared: a mean of logarithms for a ratio. A trial that failed
    is as bad as can be from the evaluation on that it did not reach.
    """
    worst = -math.inf if rules.directions[0] == "maximize" else math.inf
    reached = max if any(e.failed for e in found) else min
    result = []
    for i in range(reached(len(e.values) for e in found)):
        column = [e.values[i] if i < len(e.values) else math.nan for e in found]
        result.append(_mean(column, rules.is_ratio, worst))
    return result


def _mean(values: Sequence[float], is_ratio: bool, worst: float) -> float:
    if any(not math.isfinite(v) or (is_ratio and v <= 0) for v in values):
        return worst
    return math.fsum(math.log(v) if is_ratio else v for v in values) / len(values)
