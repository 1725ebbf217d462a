"""Bootstrap interval of a paired difference: never the default, refused where it is wrong."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ablate.analysis.metric import Metric, Values
from ablate.errors import UserError

FEWEST_PAIRS = 20
LABEL = "percentile bootstrap; a nominal 95 % covered 88 to 93 % at 20 seeds"


def percentile(values: Values, reference: Values, metric: Metric) -> tuple[float, float]:
    """Return the 95 % percentile interval of a ratio or difference; show it with `LABEL`.

    The same values give the same interval.

    Args:
        values: Of the arm, `[N]`, pairs complete.
        reference: Of the reference, seed by seed.
        metric: Its scale.

    Raises:
        UserError: There are under 20 pairs.
    """
    if len(values) < FEWEST_PAIRS:
        raise UserError(
            f"A bootstrap over {len(values)} seeds is not done: under {FEWEST_PAIRS} its 95 % "
            "interval covers 54 to 90 %; take the t interval of `compare`."
        )
    differences = metric.forward(values) - metric.forward(reference)
    found = stats.bootstrap(
        (differences,), np.mean, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return metric.back(found.low), metric.back(found.high)
