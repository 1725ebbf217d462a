"""Precision, recall, density and coverage: what lies in whose nearest-neighbour balls.

A sample's ball reaches to its k-th nearest neighbour in its own set. Balls are closed.

Sources: precision and recall, Kynkäänniemi et al. 2019, arXiv:1904.06991, eq. 1 and 2; density and
coverage, Naeem et al. 2020, arXiv:2002.09797, eq. 3 and 5. The cost is quadratic in the samples.
Legend: M real samples, N generated, F features, k neighbours.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ablate.metrics.estimate import Estimate, jackknife_sd, mean_estimate


@dataclass(frozen=True)
class Nearest:
    """Neighbours inside one set.

    Attributes:
        radius: [..., N], distance to the k-th nearest other sample.
        next_radius: [..., N], distance to the one after it: the radius if a neighbour is removed.
        index: [..., N, k], who the k neighbours are.
    """

    radius: Tensor
    next_radius: Tensor
    index: Tensor


class Neighbours(NamedTuple):
    """The four estimates, each [...]."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def nearest(features: Tensor, k: int) -> Nearest:
    """The k nearest other samples of each of features [..., N, F]; needs N >= k + 2."""
    distance = torch.cdist(features, features)
    distance.diagonal(dim1=-2, dim2=-1).fill_(torch.inf)
    found = distance.topk(k + 1, largest=False)
    return Nearest(found.values[..., k - 1], found.values[..., k], found.indices[..., :k])


def neighbour_estimates(
    real: Tensor, fake: Tensor, k: int, radius: Tensor | None = None
) -> Neighbours:
    """All four at once, with the spread over generated samples.

    Args:
        real: [..., M, F].
        fake: [..., N, F].
        k: neighbours that make a ball.
        radius: [..., M], `nearest(real, k).radius`, when it is at hand.
    """
    radius = nearest(real, k).radius if radius is None else radius
    distance = torch.cdist(real, fake)  # [..., M, N]
    in_real = (distance <= radius.unsqueeze(-1)).float()
    balls = in_real.sum(-2).double()  # real balls round each fake, [..., N]
    return Neighbours(
        precision=mean_estimate((balls > 0).double()),
        recall=_recall(distance, nearest(fake, k)),
        density=mean_estimate(balls / k),
        coverage=_coverage(in_real),
    )


def _coverage(inside: Tensor) -> Estimate:
    """Share of rows that hold something; a column takes with it the rows that it alone fills.

    Args:
        inside: [..., M, N], 1 where fake n lies in real m's ball.
    """
    held = inside.sum(-1)  # [..., M]
    value = (held > 0).double().mean(-1)
    return Estimate(value, jackknife_sd(-_sole(inside, held)))


def _recall(distance: Tensor, fakes: Nearest) -> Estimate:
    """Share of reals inside some fake's ball.

    Without fake i, the reals that only its ball held are lost, and the balls of which it was a
    neighbour grow by one step. A real reached by two grown balls counts twice in the spread.
    """
    inside = (distance <= fakes.radius.unsqueeze(-2)).float()
    held = inside.sum(-1)
    grown = (distance <= fakes.next_radius.unsqueeze(-2)).float()
    newly = ((held == 0).float().unsqueeze(-2) @ grown).squeeze(-2)  # [..., N]
    gain = newly.unsqueeze(-1).expand(fakes.index.shape).flatten(-2)
    gained = torch.zeros_like(newly).scatter_add_(-1, fakes.index.flatten(-2), gain)
    without = gained.double() / distance.shape[-2] - _sole(inside, held)
    return Estimate((held > 0).double().mean(-1), jackknife_sd(without))


def _sole(inside: Tensor, held: Tensor) -> Tensor:
    """Share of rows that column n fills alone, [..., N]. Counts below 2^24 are exact in float32."""
    alone = (held == 1).float().unsqueeze(-2)
    return (alone @ inside).squeeze(-2).double() / inside.shape[-2]
