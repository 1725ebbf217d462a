"""What a search has changed: every arm at its best setting against itself as it was."""

from __future__ import annotations

import pandas as pd

from ablate.analysis.against import against
from ablate.analysis.decisions import Decisions
from ablate.analysis.metric import Metric
from ablate.analysis.repeats import by_repeat, untold

MARK = " (tuned)"


def side_by_side(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the trials of both studies, the arms of the tuned one under names of their own."""
    return pd.concat([before, after.assign(arm=after["arm"] + MARK)], ignore_index=True)


def changed(
    before: pd.DataFrame, after: pd.DataFrame, metric: Metric, decisions: Decisions
) -> pd.DataFrame:
    """Return one row an arm that both studies have, columns `columns.COMPARISON`, largest first.

    The arm as tuned is paired with itself as it was, by seed: both were trained under the seeds of
    the study, which no search has seen; where searches were repeated, by repeat. Of one search it
    is an answer about the setting that it found. p is adjusted over the arms. An arm whose best
    setting is its own is the same trials twice: identical.

    Args:
        before: As `final_values` gives it, of the study.
        after: Likewise, of the tuned one.
        metric: Its scale and its better direction.
        decisions: Of the tuned study, which names the tuning seeds.
    """
    before, after = (by_repeat(one, metric, decisions) for one in (before, after))
    arms = sorted(set(before["arm"]) & set(after["arm"]))
    references = {arm: arm for arm in arms} | {arm + MARK: arm for arm in arms}
    table = against(side_by_side(before, after), references, metric, untold(decisions))
    table = table[table["arm"] != table["reference"]]
    order = table["effect_mean"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
