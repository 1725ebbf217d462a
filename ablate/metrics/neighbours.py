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
from ablate.metrics.pairs import blocks


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


class Counts(NamedTuple):
    """What is counted over reals, so that those of some and of others add up to those of all.

    Attributes:
        balls: [..., N], real balls round each fake.
        covered: [...], reals whose ball holds a fake.
        sole_held: [..., N], reals whose ball holds this fake alone.
        reached: [...], reals inside a fake's ball.
        sole_reach: [..., N], reals that this fake's ball alone holds.
        newly: [..., N], reals that no ball holds but this one's would, if it grew by a step.
    """

    balls: Tensor
    covered: Tensor
    sole_held: Tensor
    reached: Tensor
    sole_reach: Tensor
    newly: Tensor


def nearest(features: Tensor, k: int) -> Nearest:
    """The k nearest other samples of each of features [..., N, F]; needs N >= k + 2."""
    found = [_nearest(features, rows, k) for rows in blocks(features)]
    values, index = (torch.cat(parts, -2) for parts in zip(*found, strict=True))
    return Nearest(values[..., k - 1], values[..., k], index[..., :k])


def _nearest(features: Tensor, rows: slice, k: int) -> tuple[Tensor, Tensor]:
    distance = torch.cdist(features[..., rows, :], features)
    distance.diagonal(rows.start, -2, -1).fill_(torch.inf)
    found = distance.topk(k + 1, largest=False)
    return found.values, found.indices


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
    fakes, m = nearest(fake, k), real.shape[-2]
    parts = [_count(real[..., rows, :], radius[..., rows], fake, fakes) for rows in blocks(real)]
    # float32 counts below 2^24 are exact
    counts = Counts(*(torch.stack(part).sum(0).double() for part in zip(*parts, strict=True)))
    return Neighbours(
        precision=mean_estimate((counts.balls > 0).double()),
        recall=_recall(counts, fakes.index, m),
        density=mean_estimate(counts.balls / k),
        # a fake takes with it the reals whose ball it alone fills
        coverage=Estimate(counts.covered / m, jackknife_sd(-counts.sole_held / m)),
    )


def _count(real: Tensor, radius: Tensor, fake: Tensor, fakes: Nearest) -> Counts:
    distance = torch.cdist(real, fake)  # [..., M, N]
    holds = (distance <= radius.unsqueeze(-1)).float()
    reaches = (distance <= fakes.radius.unsqueeze(-2)).float()
    grown = (distance <= fakes.next_radius.unsqueeze(-2)).float()
    held, reached = holds.sum(-1), reaches.sum(-1)
    return Counts(
        balls=holds.sum(-2),
        covered=(held > 0).sum(-1),
        sole_held=_over(held == 1, holds),
        reached=(reached > 0).sum(-1),
        sole_reach=_over(reached == 1, reaches),
        newly=_over(reached == 0, grown),
    )


def _over(chosen: Tensor, inside: Tensor) -> Tensor:
    """Sum of [..., M, N] over the chosen [..., M], [..., N]."""
    return (chosen.float().unsqueeze(-2) @ inside).squeeze(-2)


def _recall(counts: Counts, index: Tensor, m: int) -> Estimate:
    """Share of the reals inside some fake's ball.

    Without fake i, the reals that only its ball held are lost, and the balls of which it was a
    neighbour grow by one step. A real reached by two grown balls counts twice in the spread.

    Args:
        counts: over all reals.
        index: [..., N, k], who the neighbours of each fake are.
        m: reals.
    """
    gain = counts.newly.unsqueeze(-1).expand(index.shape).flatten(-2)
    gained = torch.zeros_like(counts.newly).scatter_add_(-1, index.flatten(-2), gain)
    return Estimate(counts.reached / m, jackknife_sd((gained - counts.sole_reach) / m))
