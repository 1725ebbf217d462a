"""The verdict for an effect or a share: as for arms, in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.decisions import ALPHA, Decisions
from ablate.analysis.failure_rows import counts, level_of
from ablate.analysis.guard import FEWEST_LEFT
from ablate.analysis.looks import is_before_first
from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS, ROUNDING
from ablate.analysis.suspects import named, suspects


def conclude(
    table: pd.DataFrame, final: pd.DataFrame, metric: Metric, decisions: Decisions
) -> pd.DataFrame:
    """Return `table` with columns verdict and reason.

    Every effect rests on every arm, so one trial that may be an unmarked collapse suspends all.

    Args:
        table: Columns `columns.ESTIMATE` but for these two; order, worst_effect and what
            `failure_rows` gives where there are such.
        final: The trials behind it.
        metric: Its scale and its better direction.
        decisions: What the plan decided.
    """
    doubted = "; ".join(named(suspects(final, metric)))
    verdicts = [finding(row, doubted, metric, decisions) for row in table.to_dict("records")]
    return table.assign(
        verdict=[word for word, _ in verdicts], reason=[reason for _, reason in verdicts]
    )


def finding(
    row: Mapping[Any, Any], doubted: str, metric: Metric, decisions: Decisions
) -> tuple[str, str]:
    """Return verdict and reason of one row; `doubted` names the suspects of the study."""
    unit = decisions.unit
    if is_before_first(row["seeds"], decisions):
        return f"too few {unit}s", f"the first planned look is at {decisions.looks[0]} seeds"
    named_failing = failing(row, decisions)
    if row["seeds"] < FEWEST_PAIRS:
        counted = f"{unit}s: {row['seeds']} of the {FEWEST_PAIRS} needed"
        too_few = f"too few {unit}s", "; ".join(filter(None, [counted, told(row)]))
        return too_few if doubted else named_failing or too_few
    untested = _without_error(row, unit) if np.isnan(row["p_holm"]) else ("", "")
    if doubted and untested[0] != "identical":
        return "suspect", f"possible unmarked collapse: {doubted}"
    if row["p_holm"] <= decisions.alpha:
        return _significant(row, metric)
    found = untested if untested[0] == "suspect" else named_failing or untested
    return found if found[0] else ("inconclusive", told(row))


def _without_error(row: Mapping[Any, Any], unit: str) -> tuple[str, str]:
    failures = row.get("failed_with", 0) + row.get("failed_without", 0)
    if np.isnan(row["effect_mean"]) and failures > 0:  # NaN of interactions
        return f"too few {unit}s", _unseen(row)
    if np.isnan(row["effect_mean"]) or row["df"] == 0:
        return f"too few {unit}s", "the trials that are done leave nothing to measure an error by"
    if row.get("variance") == "few arms":
        return "too few arms", f"fewer than {FEWEST_LEFT} beyond the effects tell no interaction"
    if abs(row["effect_mean"]) <= ROUNDING:
        return "identical", ""
    return "suspect", f"{unit}s do not vary"


def _unseen(row: Mapping[Any, Any]) -> str:
    """Return why a trick with failures has no effect, and what they are worth."""
    none = [side for side in ("with", "without") if row[f"failed_{side}"] == row[f"ended_{side}"]]
    why = f"no trial {none[0]} it is done" if none else "the arms that are done do not tell it"
    chance = ", too few to tell from chance" * bool(np.isnan(row["p_failures_holm"]))
    return f"{why}: {told(row)}{chance}"


def _significant(row: Mapping[Any, Any], metric: Metric) -> tuple[str, str]:
    better = metric.is_better(row["effect_mean"])
    word = "better" if better else "worse"
    if row.get("order", 1) > 1:
        word += " together"
    why = brakes(row, metric, better)
    return ("trade-off", f"{word}, but {'; '.join(why)}") if why else (word, "")


def brakes(row: Mapping[Any, Any], metric: Metric, better: bool) -> list[str]:
    """Return why a significant effect is not all there is to say; seen from the side that wins."""
    found, side = [], "with" if better else "without"
    if row.get(f"dies_{side}", False):
        found.append(_dies(row, side))
    if row.get("mid_failures", 1.0) <= ALPHA and (row["excess_failures"] > 0) == better:
        found.append(counts(row))
    worst = row.get("worst_effect", row["effect"])
    if metric.is_better(float(metric.forward(np.array([worst]))[0])) != better:
        found.append("not when a failure counts as the worst value")
    return found


def failing(row: Mapping[Any, Any], decisions: Decisions) -> tuple[str, str] | None:
    """Return `fails more` or `fails less` with its counts, if the failures are named."""
    if not row.get("p_failures_holm", 1.0) <= level_of(decisions):
        return None
    return ("fails more" if row["excess_failures"] > 0 else "fails less"), told(row)


def told(row: Mapping[Any, Any]) -> str:
    """Return the counts of failures, and what dies in every seed; "" where nothing failed."""
    died = [_dies(row, side) for side in ("with", "without") if row.get(f"dies_{side}", False)]
    return "; ".join(filter(None, [counts(row), *died]))


def _dies(row: Mapping[Any, Any], side: str) -> str:
    """Return which arms die of it: the partners, if they always do."""
    if side == "with":
        return row["partners"] or "an arm always fails with it and not without"
    partners = row["partners_without"]
    return f"without it {partners}" if partners else "an arm always fails without it"
