"""What a study's design asks beyond arms against a reference, and the table that answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.decisions import Decisions
from ablate.analysis.effects import effects, ended_arms, of_done_arms
from ablate.analysis.guard import FEWEST_LEFT
from ablate.analysis.half_normal import half_normal
from ablate.analysis.ladder import steps
from ablate.analysis.layout import SUBSETS, has_factors, layout_of
from ablate.analysis.lost import lost
from ablate.analysis.metric import Metric, Values
from ablate.analysis.paired import FEWEST_PAIRS
from ablate.analysis.pairs import interactions, pairs_of
from ablate.analysis.repeats import SQRT2, by_repeat, of_one_search, untold
from ablate.analysis.shapley import shapley
from ablate.analysis.terms import fit_of
from ablate.errors import UserError

FACTORIAL = ("full_factorial", "fractional_factorial", "plackett_burman")
KINDS = dict.fromkeys((*FACTORIAL, *SUBSETS), "effects") | {
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
        notes: What absent arms took from the design.
        unit: What is counted, as `Decisions.unit` names it.
        one_search: The settings were found by a single search: no test, no interval.
    """

    kind: str
    design: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    half_normal: pd.DataFrame = field(default_factory=pd.DataFrame)
    missing: str = ""
    notes: Sequence[str] = ()
    unit: str = "seed"
    one_search: bool = False

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
        units, decided = by_repeat(final, metric, decisions), untold(decisions)
        found = _of_units(design, units, study, metric, decided, detect)
    except UserError as error:
        return Answer("arms", design, missing=str(error))
    found = replace(found, unit=decisions.unit, one_search=decisions.one_search)
    if not found.one_search or found.table.empty:
        return found
    size = sizes(found, units, study)
    return replace(found, table=of_one_search(found.table, metric, decisions, size))


def sizes(answer: Answer, final: pd.DataFrame, study: Mapping[str, Any]) -> Values | float:
    """Return the root of the sum of squared weights of arms in a number, row by row or of all.

    NaN where it is not known.
    """
    if answer.kind == "steps":
        return SQRT2
    if answer.kind == "shares":
        return np.nan
    layout = layout_of(study)
    if answer.design == "pairs":
        terms = pairs_of(layout)
    else:
        terms = fit_of(of_done_arms(*ended_arms(final, layout))).terms
    known = {term.label: float(np.linalg.norm(term.contrast)) for term in terms}
    return np.array([known.get(str(term), np.nan) for term in answer.table["term"]])


def _of_units(
    design: str,
    final: pd.DataFrame,
    study: Mapping[str, Any],
    metric: Metric,
    decisions: Decisions,
    detect: float | None,
) -> Answer:
    kind = KINDS[design]
    if kind == "steps":
        return Answer(kind, design, steps(final, study, metric, decisions, detect))
    if kind == "shares":
        return Answer(kind, design, _ordered(shapley(final, study, metric, decisions)))
    return _of_effects(design, final, study, metric, decisions)


def _of_effects(
    design: str,
    final: pd.DataFrame,
    study: Mapping[str, Any],
    metric: Metric,
    decisions: Decisions,
) -> Answer:
    if design == "pairs":
        table = _ordered(interactions(final, study, metric, decisions))
        return Answer("effects", design, table)
    table = _ordered(effects(final, study, metric, decisions))
    found = Answer("effects", design, table, notes=lost(final, study, metric))
    if design in SUBSETS:
        return _of_subsets(found, final["arm"].nunique())
    few = int(table["seeds"].max()) < FEWEST_PAIRS
    return _unreplicated(found, final, study, metric) if few else found


def _of_subsets(answer: Answer, arms: int) -> Answer:
    """Return the answer by arms where too few of them are left for a regression on the tricks.

    Of tricks added, or left out, one at a time none is left: it is arms that such a table asks of.
    """
    if "few arms" not in set(answer.table["variance"]):
        return answer
    left = arms - 1 - len(answer.table)
    told = (
        f"A regression on the tricks needs {FEWEST_LEFT} arms more than it has effects, to tell "
        f"interactions from noise, and has {left}; so arms are compared."
    )
    return Answer("arms", answer.design, missing=told if left > 1 else "")


def _unreplicated(
    answer: Answer, final: pd.DataFrame, study: Mapping[str, Any], metric: Metric
) -> Answer:
    try:
        plot = half_normal(final, study, metric)
    except UserError as error:
        return replace(answer, missing=str(error))
    return replace(answer, half_normal=plot)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Return main effects before interactions, in each the largest first."""
    order = table.get("order", pd.Series(1, index=table.index))
    key = pd.DataFrame({"order": order, "size": -table["effect_mean"].abs()})
    return table.loc[key.sort_values(["order", "size"], kind="stable").index].reset_index(drop=True)
