"""What the analysis must know of a metric, declared before training and never chosen from data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ablate.errors import UserError
from ablate.metric import known

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A metric and the scale on which it is compared.

    Attributes:
        name: As in the results.
        scale: "ratio" compares logarithms, so values must be > 0; "difference" compares values.
        higher_is_better: Which way is better.
    """

    name: str
    scale: str
    higher_is_better: bool

    def __post_init__(self) -> None:
        """Refuse a scale that is none.

        Raises:
            UserError: `scale` is neither "ratio" nor "difference".
        """
        if self.scale not in ("ratio", "difference"):
            raise UserError(f"scale={self.scale!r} is none; choose 'ratio' or 'difference'.")

    @property
    def is_ratio(self) -> bool:
        """Whether logarithms are compared."""
        return self.scale == "ratio"

    def forward(self, values: Values) -> Values:
        """Return `values` on the scale of the analysis."""
        return np.log(values) if self.is_ratio else values

    def back(self, values: float) -> float:
        """Return a value of the scale of the analysis as a ratio or a difference."""
        return float(np.exp(values)) if self.is_ratio else float(values)

    def mean(self, values: Values) -> float:
        """Return the geometric mean on the ratio scale, else the mean; NaN of nothing."""
        return self.back(float(self.forward(values).mean())) if len(values) else float("nan")

    def spread(self, values: Values) -> float:
        """Return the SD of `values`, in their unit and on the scale that their mean is of.

        Beside a geometric mean it is the SD of logs, times that mean.
        """
        if len(values) < 2:
            return float("nan")
        sd = float(self.forward(values).std(ddof=1))
        return sd * self.mean(values) if self.is_ratio else sd

    def worst(self, values: Values) -> float:
        """Return the worst of `values`."""
        return float(values.min() if self.higher_is_better else values.max())

    def is_better(self, change: float) -> bool:
        """Whether a change on the scale of the analysis is an improvement."""
        return change > 0 if self.higher_is_better else change < 0


def metric_of(name: str, scale: str | None = None, higher_is_better: bool | None = None) -> Metric:
    """Return metric `name` as the catalog declares it, or as the arguments say.

    Raises:
        UserError: The catalog does not know it and an argument is missing.
    """
    if scale is None or higher_is_better is None:
        declared = _declared(name)
        if declared is None:
            told = f"Metric {name!r} is not in the catalog; "
            raise UserError(
                f"{told}give scale='ratio' (only values > 0) or scale='difference', and "
                "higher_is_better=True or False.",
                f"{told}import the table again with --scale {name}=ratio (only values > 0) or "
                f"{name}=difference, and --better {name}=lower or {name}=higher.",
            )
        scale = declared.scale if scale is None else scale
        higher_is_better = (
            declared.higher_is_better if higher_is_better is None else higher_is_better
        )
    return Metric(name, scale, higher_is_better)


def _declared(name: str) -> Metric | None:
    """Look `name` up among the metrics that are known, by us or by the field."""
    entry = known(name)
    return None if entry is None else Metric(name, entry.scale, entry.better == "higher")
