"""What an arm's trials cost over its reference's, and how far that is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ablate.analysis.metric import Values
from ablate.analysis.paired import FEWEST_PAIRS

ALONE = 0.75  # share of its wall time that the device gave a trial: in a stack of two it is a half
NAN = float("nan")


def relative_cost(final: pd.DataFrame, references: Mapping[str, str]) -> pd.DataFrame:
    """Return a row an arm of `references`: arm, relative_cost and relative_cost_sd.

    The cost is mean device seconds over the reference's, of done trials; NaN where the two ran on
    different devices. Its SD is that of the ratios seed by seed, over three seeds or more that both
    arms trained alone: the trials of a stack are timed as one, so their equal shares say nothing.

    Args:
        final: As `final_values` gives it.
        references: Arm -> the arm it is compared with.
    """
    done = final[~final["failed"]]
    alone = done["device_seconds"] >= ALONE * done["wall_seconds"]
    done = done.assign(alone=done["device_seconds"].where(alone))
    seconds, timed = (_columns(done, name) for name in ("device_seconds", "alone"))
    devices = done.groupby("arm")["device"].agg(frozenset).to_dict()
    rows = []
    for arm, other in references.items():
        found = {"arm": arm, "relative_cost": NAN, "relative_cost_sd": NAN}
        if arm in seconds and other in seconds and len(devices[arm] | devices[other]) == 1:
            found["relative_cost"] = _mean(seconds[arm]) / _mean(seconds[other])
            if arm != other:
                found["relative_cost_sd"] = _sd(timed[arm] / timed[other])
        rows.append(found)
    return pd.DataFrame(rows)


def _columns(done: pd.DataFrame, name: str) -> dict[str, Values]:
    """Return arm -> its seconds, a seed each; NaN where they are not known, as 0 are not."""
    table = done.pivot(index="seed", columns="arm", values=name)
    return {str(arm): seconds.where(seconds > 0).to_numpy() for arm, seconds in table.items()}


def _mean(seconds: Values) -> float:
    known = seconds[np.isfinite(seconds)]
    return float(known.mean()) if len(known) else NAN


def _sd(ratios: Values) -> float:
    known = ratios[np.isfinite(ratios)]
    return float(known.std(ddof=1)) if len(known) >= FEWEST_PAIRS else NAN
