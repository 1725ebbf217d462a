"""Fréchet distance between two Gaussians, as singular values of a small product.

With covariances S = A A^T, the term tr (S1 S2)^(1/2) is the sum of the singular values of A1^T A2.
No matrix square root is taken, nothing leaves the device, and because no covariance has to be
formed, directions without variance cost no accuracy (a square root turns 1e-16 into 1e-8).

Source: Fréchet 1957; Dowson and Landau 1982, doi:10.1016/0047-259X(82)90077-X, eq. 4; as a score
for generators Heusel et al. 2017, arXiv:1706.08500, eq. 6.
Legend: N samples, F features, R rows of a root (at most F).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ablate.metrics.estimate import Estimate, jackknife_sd


@dataclass(frozen=True)
class Moments:
    """First and second moments of a set of features.

    Attributes:
        count: number of samples.
        mean: [..., F].
        root: [..., R, F] with root^T root = (count - 1) covariance.
    """

    count: int
    mean: Tensor
    root: Tensor


def moments(features: Tensor) -> Moments:
    """Moments of features [..., N, F], in float64."""
    features = features.double()
    mean = features.mean(-2)
    return Moments(features.shape[-2], mean, _triangle(features - mean.unsqueeze(-2)))


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of two sets together, as if they had been seen at once.

    Chan, Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115, eq. 2.1b, on roots: the shift
    between the means is one more row.
    """
    count = a.count + b.count
    shift = b.mean - a.mean
    row = shift.unsqueeze(-2) * math.sqrt(a.count * b.count / count)
    root = _triangle(torch.cat([a.root, b.root, row], -2))
    return Moments(count, a.mean + shift * (b.count / count), root)


def total_variance(of: Moments) -> Tensor:
    """Trace of the covariance, [...]."""
    return of.root.square().sum((-2, -1)) / (of.count - 1)


def frechet_distance(mu1: Tensor, sigma1: Tensor, mu2: Tensor, sigma2: Tensor) -> Tensor:
    """Distance of two Gaussians given by mean [..., F] and covariance [..., F, F].

    Covariances carry their rounding error into the result, about 1e-8 of the trace; from features,
    `frechet_of_moments` is exact to rounding.

    Returns:
        [...], |mu1 - mu2|^2 + tr(sigma1 + sigma2 - 2 (sigma1 sigma2)^(1/2)), float64.
    """
    a = Moments(2, mu1.double(), _root_of(sigma1.double()))
    b = Moments(2, mu2.double(), _root_of(sigma2.double()))
    return frechet_of_moments(a, b)


def frechet_of_moments(a: Moments, b: Moments) -> Tensor:
    """Distance of the Gaussians with these moments, [...]; leading dimensions broadcast."""
    overlap = torch.linalg.svdvals(_cross(a, b)).sum(-1)
    return _distance(a, b, overlap)


def frechet_estimate(real: Moments, features: Tensor) -> Estimate:
    """Distance of generated features [..., N, F] from the reals' moments, with its spread.

    The spread is the infinitesimal jackknife: to first order, removing x changes the distance by
    2 (mu - mu_real) x + |x|^2 - x^T T x, where x is centred and T is the optimal map from the
    generated to the real Gaussian (half of T is the gradient of the square-root term in the
    generated covariance).
    """
    fake = moments(features)
    u, s, _ = torch.linalg.svd(_cross(real, fake), full_matrices=False)
    centred = features.double() - fake.mean.unsqueeze(-2)
    mapped = centred @ (real.root.mT @ u) / math.sqrt(real.count - 1)  # [..., N, R]
    tiny = s.shape[-1] * torch.finfo(s.dtype).eps * s.amax(-1, keepdim=True)
    inverse = torch.where(s > tiny, 1 / s, 0.0).unsqueeze(-2)
    shift = (fake.mean - real.mean).unsqueeze(-1)
    influence = (
        2 * (centred @ shift).squeeze(-1)
        + centred.square().sum(-1)
        - (mapped.square() * inverse).sum(-1)
    )
    return Estimate(
        _distance(real, fake, s.sum(-1)), jackknife_sd(influence / (features.shape[-2] - 1))
    )


def _distance(a: Moments, b: Moments, overlap: Tensor) -> Tensor:
    traces = total_variance(a) + total_variance(b) - 2 * overlap
    # not negative in exact arithmetic; equal sets leave a rounding error of either sign
    return (a.mean - b.mean).square().sum(-1) + traces.clamp(min=0)


def _cross(a: Moments, b: Moments) -> Tensor:
    """A1^T A2, [..., R1, R2]."""
    return torch.matmul(a.root, b.root.mT) / math.sqrt((a.count - 1) * (b.count - 1))


def _triangle(rows: Tensor) -> Tensor:
    root: Tensor = torch.linalg.qr(rows, mode="r").R
    return root


def _root_of(sigma: Tensor) -> Tensor:
    """Root [..., F, F] of a covariance; eigenvalues that are rounding error count as zero."""
    values, vectors = torch.linalg.eigh(sigma)
    noise = values.shape[-1] * torch.finfo(values.dtype).eps * values.amax(-1, keepdim=True)
    kept = torch.where(values > noise, values, 0.0).clamp(min=0)
    root: Tensor = kept.sqrt().unsqueeze(-1) * vectors.mT
    return root
