"""What a study's design asks beyond arms against a reference, and the table that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ablate.analysis.decisions import Decisions
from ablate.analysis.effects import effects
from ablate.analysis.half_normal import half_normal
from ablate.analysis.ladder import steps
from ablate.analysis.layout import has_factors
from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS
from ablate.analysis.pairs import interactions
from ablate.analysis.shapley import shapley
from ablate.errors import UserError

FACTORIAL = ("full_factorial", "fractional_factorial", "plackett_burman")
KINDS = dict.fromkeys(FACTORIAL, "effects") | {
    "pairs": "effects",
    "shapley": "shares",
    "ladder": "steps",
}
UNPAIRED = "What a trick does is computed seed by seed, and here arms are compared unpaired."


@dataclass(frozen=True)
class Answer:
    """A table of effects, shares or steps; none for designs that are arms and a reference.

    Attributes:
        kind: "arms", "effects", "shares" or "steps".
        design: As the plan names it.
        table: Columns `columns.EFFECTS`, `columns.SHARES` or `columns.COMPARISON`, largest first;
            steps in their order. Empty for "arms".
        half_normal: All effects of a factorial with too few seeds for a test, else empty.
        missing: Why the design's question has no answer, or no half-normal plot.
    """

    kind: str
    design: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    half_normal: pd.DataFrame = field(default_factory=pd.DataFrame)
    missing: str = ""

    @property
    def names(self) -> list[str]:
        """What the rows are about."""
        column = {"effects": "term", "shares": "factor", "steps": "arm"}[self.kind]
        return [str(name) for name in self.table[column]]


def answer_of(
    final: pd.DataFrame,
    study: Mapping[str, Any],
    metric: Metric,
    decisions: Decisions,
    detect: float | None = None,
) -> Answer:
    """Return the answer to what the design of `study` asks; `study` may be empty or old."""
    design = str(study.get("design", ""))
    kind = KINDS.get(design, "arms")
    if kind == "arms" or (kind != "steps" and (decisions.unpaired or not has_factors(study))):
        return Answer("arms", missing=UNPAIRED if kind != "arms" and decisions.unpaired else "")
    try:
        if kind == "steps":
            return Answer(kind, design, steps(final, study, metric, decisions, detect))
        if kind == "shares":
            return Answer(kind, design, _ordered(shapley(final, study, metric, decisions)))
        function = interactions if design == "pairs" else effects
        table = _ordered(function(final, study, metric, decisions))
    except UserError as error:
        return Answer("arms", design, missing=str(error))
    if design in FACTORIAL and int(table["seeds"].max()) < FEWEST_PAIRS:
        return _unreplicated(Answer(kind, design, table), final, study, metric)
    return Answer(kind, design, table)


def _unreplicated(
    answer: Answer, final: pd.DataFrame, study: Mapping[str, Any], metric: Metric
) -> Answer:
    try:
        plot = half_normal(final, study, metric)
    except UserError as error:
        return Answer(answer.kind, answer.design, answer.table, missing=str(error))
    return Answer(answer.kind, answer.design, answer.table, plot)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return main effects before interactions, in each the largest first."""
    order = table.get("order", pd.Series(1, index=table.index))
    key = pd.DataFrame({"order": order, "size": -table["effect_mean"].abs()})
    return table.loc[key.sort_values(["order", "size"], kind="stable").index].reset_index(drop=True)
