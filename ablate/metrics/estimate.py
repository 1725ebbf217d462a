"""A value and how far it would move if the same generator drew again.

The spread is a leave-one-out jackknife over the generated samples (Efron and Stein 1981,
doi:10.1214/aos/1176345462, eq. 1.3): deterministic, and in expectation not below the true variance
of the statistic. Each metric knows in closed form what it would be without one of its samples, so
the spread costs about as much as the value. It says nothing about training again: the spread over
seeds is measured by seeds.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Estimate(NamedTuple):
    """What a metric function returns.

    Attributes:
        value: [...].
        resample_sd: [...], standard deviation over fresh sets of samples from the same generator,
            the real samples staying the same.
    """

    value: Tensor
    resample_sd: Tensor


def jackknife_sd(without: Tensor, counts: Tensor | None = None) -> Tensor:
    """Spread of a statistic from its values with one sample left out.

    Args:
        without: [..., N], the statistic without sample i (up to a constant).
        counts: [..., N], how many samples share each entry; one each when absent.

    Returns:
        [...]: sqrt((n - 1) / n * sum_i (without_i - mean)^2), n the number of samples.
    """
    counts = torch.ones_like(without) if counts is None else counts.to(without.dtype)
    n = counts.sum(-1)
    mean = (counts * without).sum(-1) / n
    squares = counts * (without - mean.unsqueeze(-1)) ** 2
    return ((n - 1) / n * squares.sum(-1)).sqrt()


def mean_estimate(values: Tensor) -> Estimate:
    """A mean over samples and its standard error.

    Args:
        values: [..., N], one number a sample.
    """
    return Estimate(values.mean(-1), values.std(-1) / values.shape[-1] ** 0.5)
