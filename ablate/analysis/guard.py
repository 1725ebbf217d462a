"""The variance of an effect: pooled, guarded by the effect's own over seeds, and by lack of fit.

With every cell there, an effect has a value in each seed and its own variance is theirs. With
holes it is taken from the residuals, over what they would be worth if no effect varied: the same
number where nothing is missing. Measured: see `benchmarks.coverage`.

Legend: J arms, N seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from ablate.analysis.blocks import Blocks
from ablate.analysis.metric import Values
from ablate.analysis.student import student

NAN = float("nan")
NOTHING = 1e-9  # of what the residuals can say of an effect
FEWEST_LEFT = 5  # arms beyond the effects, to tell an interaction from noise


@dataclass(frozen=True)
class Spread:
    """How sure an effect is.

    Attributes:
        error: Its standard error.
        df: Degrees of freedom of Student's t.
        variance: Which one was the largest: `guarded`, `lack of fit`, or `ols` without own one.
        own_sd: SD over seeds of the effect seed by seed, in seeds with all arms.
        own_p: Of t from that SD alone.
        own_low: Lower end of the interval from that SD alone, on the scale of the analysis.
        own_high: Upper end.
        p_varies: F of the own variance against the rest of the residual.
    """

    error: float
    df: float
    variance: str
    own_sd: float = NAN
    own_p: float = NAN
    own_low: float = NAN
    own_high: float = NAN
    p_varies: float = NAN


def guarded(contrast: Values, table: Blocks) -> Spread:
    """Return the larger of the pooled variance and the effect's own, if the cells tell that.

    Args:
        contrast: `[J]`, the effect as sum of arm means.
        table: Of which some error variance is left.
    """
    unit = float(contrast @ table.unscaled @ contrast)  # of the estimate, over the error's
    expected = expected_squares(contrast, table)
    if expected < NOTHING:
        return Spread(float(np.sqrt(unit * table.mse)), float(table.df), "ols")
    own = float(((table.residuals @ contrast) ** 2).sum()) / expected
    seeds = len(table.residuals)
    return Spread(
        error=float(np.sqrt(unit * max(table.mse, own))),
        df=float(table.df),
        variance="guarded",
        own_sd=float(np.sqrt(own * (contrast @ contrast))),
        **_own(float(contrast @ table.means), float(np.sqrt(unit * own)), seeds),
        p_varies=_p_varies(own, table, seeds),
    )


def expected_squares(contrast: Values, table: Blocks) -> float:
    """Return the expected sum over seeds of (contrast of residuals)^2, for an error variance 1."""
    weights = table.present * contrast  # [N, J]
    columns = np.hstack([weights, weights.sum(1, keepdims=True) * table.codes])
    explained = np.einsum("si,ij,sj->", columns, table.inverse, columns)
    return float((weights**2).sum() - explained)


def _own(estimate: float, error: float, seeds: int) -> dict[str, float]:
    """Return test and interval by the own variance; nothing where it is none."""
    if error <= 0:
        return {}
    low, high, _, p = student(estimate, error, seeds - 1)
    return {"own_p": p, "own_low": low, "own_high": high}


def _p_varies(own: float, table: Blocks, seeds: int) -> float:
    """Return p of F; NaN where nothing is left to hold the own variance against."""
    rest_df = table.df - (seeds - 1)
    rest = table.df * table.mse - (seeds - 1) * own
    if rest_df <= 0 or rest <= 0:
        return NAN
    return float(stats.f.sf(own / (rest / rest_df), seeds - 1, rest_df))


def with_lack_of_fit(spread: Spread, contrast: Values, means: Values, fitted: Values) -> Spread:
    """Return `spread`, or the one in which arms are the units where that is the larger.

    Seeds know nothing of interactions that a regression leaves out: they are the same in every
    seed. How far arms lie from the regression knows.

    Args:
        spread: As `guarded` gives it.
        contrast: `[J]`, the effect, by least squares on `fitted`.
        means: `[J]` of the arms.
        fitted: `[J, P]`, columns of the regression, that of ones too.
    """
    left = len(means) - fitted.shape[1]
    off = means - fitted @ np.linalg.lstsq(fitted, means, rcond=None)[0]
    error = float(np.sqrt((off @ off) / left * (contrast @ contrast)))
    if error <= spread.error:
        return spread
    return replace(spread, error=error, df=left, variance="lack of fit")
