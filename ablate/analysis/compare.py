"""Every arm against the reference: one metric, one rule."""

from __future__ import annotations

import pandas as pd

from ablate.analysis.against import against
from ablate.analysis.arms import name_arms, reference_of
from ablate.analysis.conditions import require_one_condition
from ablate.analysis.decisions import Decisions
from ablate.analysis.final import final_values
from ablate.analysis.metric import Metric, metric_of
from ablate.analysis.repeats import by_repeat, of_one_search, untold


def compare(  # noqa: PLR0913 - each is one decision of the plan
    frame: pd.DataFrame,
    metric: str,
    reference: str | None = None,
    *,
    scale: str | None = None,
    higher_is_better: bool | None = None,
    generator: str | None = None,
    protocol: str | None = None,
    detect: float | None = None,
    decisions: Decisions | None = None,
) -> pd.DataFrame:
    """Return one row per arm, columns `columns.COMPARISON`: the reference first, then best first.

    Args:
        frame: Results as `store.read` gives them, of one set of conditions.
        metric: The primary metric: the adjusted p and the verdicts hold for one, named in advance.
        reference: Arm to compare with; the one without tricks by default.
        scale: "ratio" or "difference"; the catalog's by default.
        higher_is_better: The catalog's by default.
        generator: "raw" or "ema" for all arms; by default `ema` where an arm has it, else `raw`.
        protocol: Needed only if the metric was computed under several.
        detect: Effect for `seeds_needed`, declared in advance: on the ratio scale a share (0.1 is a
            change by 10 %, the default), else in units of the metric (no default: NaN).
        decisions: What the plan decided: variance, margin, looks, whether arms are compared
            unpaired, and the repeats of a search: of tuned arms they are the units.

    Raises:
        UserError: What is asked for is not there or does not compare.
    """
    require_one_condition(frame)
    known = metric_of(metric, scale, higher_is_better)
    decided = decisions or Decisions()
    frame = name_arms(frame, decided.repeats)
    reference = reference_of(frame, reference)
    final = by_repeat(final_values(frame, known, generator, protocol), known, decided)
    references = dict.fromkeys(sorted(map(str, final["arm"].unique())), reference)
    table = against(final, references, known, untold(decided), detect)
    return of_one_search(_ordered(table, known), known, decided)


def _ordered(table: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    key = -table["mean"] if metric.higher_is_better else table["mean"]
    first = table["arm"] != table["reference"]
    order = pd.DataFrame({"first": first, "key": key, "arm": table["arm"]})
    return table.loc[order.sort_values(["first", "key", "arm"]).index].reset_index(drop=True)
