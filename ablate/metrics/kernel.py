"""Kernel distance: unbiased squared maximum mean discrepancy with a cubic kernel.

Source: Bińkowski et al. 2018, arXiv:1801.01401, section 4 and eq. 4 (the estimator is Gretton et
al. 2012, lemma 6). The paper averages over random subsets of 1000; here one estimate uses all
samples handed in, which is unbiased as well, has less variance and draws nothing.
Legend: N generated, M real samples, F features.
"""

import torch
from torch import Tensor

from ablate.metrics.estimate import Estimate, jackknife_sd
from ablate.metrics.pairs import blocks


def cubic_kernel(x: Tensor, y: Tensor) -> Tensor:
    """(x . y / F + 1)^3 for every pair, [..., N, F], [..., M, F] -> [..., N, M]."""
    base = x @ y.mT
    base.div_(x.shape[-1]).add_(1)
    return base * base.square()


def real_similarity(real: Tensor) -> Tensor:
    """Mean kernel over pairs of different reals [..., M, F] -> [...]; needed once a data set."""
    m = real.shape[-2]
    return _others(real).sum(-1) / (m * (m - 1))


def kernel_distance(real: Tensor, fake: Tensor, similarity: Tensor | None = None) -> Estimate:
    """Squared MMD of real [..., M, F] and generated [..., N, F] features, with its spread.

    Args:
        real: reals.
        fake: generated, N >= 3.
        similarity: `real_similarity(real)`, when it is at hand.
    """
    n = fake.shape[-2]
    row = _others(fake)  # [..., N]
    across = _sums(fake, real) / real.shape[-2]  # [..., N]
    reals = real_similarity(real) if similarity is None else similarity
    value = row.sum(-1) / (n * (n - 1)) + reals - 2 * across.mean(-1)
    total, crossing = row.sum(-1, keepdim=True), across.sum(-1, keepdim=True)
    without = (total - 2 * row) / ((n - 1) * (n - 2)) - 2 * (crossing - across) / (n - 1)
    return Estimate(value, jackknife_sd(without))


def _sums(x: Tensor, y: Tensor) -> Tensor:
    """Sum of the kernel over y, for every x: [..., N, F], [..., M, F] -> [..., N]."""
    return torch.cat([cubic_kernel(x[..., rows, :], y).sum(-1) for rows in blocks(x)], -1)


def _others(x: Tensor) -> Tensor:
    """Sum of the kernel over all samples but itself, [..., N, F] -> [..., N]."""
    return _sums(x, x) - (x.square().mean(-1) + 1) ** 3
