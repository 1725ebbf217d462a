"""Exponential of the mean KL between each sample's classes and the average: sharp and varied.

Source: Salimans et al. 2016, arXiv:1606.03498, section 4. Only with the Inception network may it
be called Inception score. One estimate over all samples, not ten splits: Barratt and Sharma 2018,
arXiv:1801.01973, section 3.2.
Legend: N samples, M classes.
"""

import torch
from torch import Tensor

from ablate.metrics.estimate import Estimate, jackknife_sd


def class_score(probabilities: Tensor) -> Estimate:
    """Score of class probabilities [..., N, M], with its spread.

    Returns:
        values between 1 and M.
    """
    p = probabilities.double()
    n = p.shape[-2]
    negentropy = torch.xlogy(p, p).sum(-1)  # [..., N]
    total, known = p.sum(-2, keepdim=True), negentropy.sum(-1, keepdim=True)
    # a probability summed and taken away again may fall below zero by rounding
    rest = ((total - p) / (n - 1)).clamp(min=0)
    without = (known - negentropy) / (n - 1) - torch.xlogy(rest, rest).sum(-1)
    average = total.squeeze(-2) / n
    value = negentropy.mean(-1) - torch.xlogy(average, average).sum(-1)
    return Estimate(value.exp(), jackknife_sd(without.exp()))
