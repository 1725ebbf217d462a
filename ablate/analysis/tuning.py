"""No arm is scored on the seeds that chose its settings."""

from __future__ import annotations

import pandas as pd

from ablate.analysis.decisions import Decisions
from ablate.errors import UserError


def refuse_tuning_seeds(final: pd.DataFrame, decisions: Decisions) -> None:
    """Refuse trials under a seed that chose settings: the best of many is too good there.

    Raises:
        UserError: There are such trials.
    """
    both = sorted(set(final["seed"]) & set(decisions.tuning_seeds))
    if both:
        raise UserError(
            f"Seeds {[int(seed) for seed in both]} chose the settings of these arms, and the "
            "winner of a search is too good on the seeds it won on (7 to 43 % in simulation); "
            "compare them on confirmation seeds, which tuning never saw."
        )
