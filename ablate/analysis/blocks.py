"""Arms and seeds as a two-way table: arm means with the seeds taken out, and what is left over.

Legend: J arms, N seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from ablate.analysis.metric import Values


@dataclass(frozen=True)
class Blocks:
    """Least squares of value = arm + seed.

    Attributes:
        means: `[J]`, one per arm; only differences between them mean anything.
        unscaled: `[J, J]`, their covariance over the error variance.
        mse: Error variance; NaN where `df` is 0.
        df: Values minus arms minus seeds plus 1.
        residuals: `[N, J]`; 0 where there is no value.
        present: `[N, J]`, 1 where there is a value.
        codes: `[N, N - 1]`, the columns of the seeds.
        inverse: `[J + N - 1, J + N - 1]`, of the design's cross-product; arms come first.
    """

    means: Values
    unscaled: Values
    mse: float
    df: int
    residuals: Values
    present: Values
    codes: Values
    inverse: Values


def fit_blocks(values: pd.DataFrame) -> Blocks | None:
    """Return the fit; None where the table falls into parts that share no seed.

    Args:
        values: Index seed, columns arms, on the scale of the analysis; NaN where there is none.
    """
    values = values.dropna(how="all")
    present = values.notna().to_numpy()
    row, column = np.nonzero(present)
    arms = np.eye(values.shape[1])[column]
    codes = np.eye(len(values))[:, 1:] - 1 / len(values)  # centred: arms keep their level
    design = np.hstack([arms, codes[row]])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    fitted = OLS(values.to_numpy()[row, column], design).fit()
    df = int(fitted.df_resid)
    inside = values.shape[1]
    residuals = np.zeros(values.shape)
    residuals[row, column] = fitted.resid
    return Blocks(
        means=fitted.params[:inside],
        unscaled=fitted.normalized_cov_params[:inside, :inside],
        mse=float(fitted.ssr / df) if df else float("nan"),
        df=df,
        residuals=residuals,
        present=present.astype("float64"),
        codes=codes,
        inverse=fitted.normalized_cov_params,
    )
