"""Toys whose truth is known: equal Gaussians round given centres.

Source: Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761, section 4.1; Lin et al. 2018 (PacGAN),
arXiv:1712.04086, section 4.1: a sample is of high quality within three standard deviations of the
nearest centre, and a mode is covered when it is nearest to a sample of high quality. A perfect
generator in the plane reaches 1 - exp(-9/2) = 98.9 %.
Legend: N samples, M centres.
"""

import torch
from torch import Tensor

from ablate.metrics.estimate import Estimate, mean_estimate
from ablate.metrics.histogram import histogram, histogram_estimate, modes_covered, reverse_kl

REACH_SIGMAS = 3.0


def nearest_centre(samples: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to the nearest centre and which one it is, [..., N, 2], [M, 2] -> [..., N] twice."""
    found = torch.cdist(samples, centres).min(-1)
    return found.values, found.indices


def mixture_estimates(samples: Tensor, centres: Tensor, sigma: float) -> dict[str, Estimate]:
    """`modes`, `high_quality` and `reverse_kl` of samples [..., N, 2].

    The divergence counts every sample at its nearest centre, of high quality or not, so that it is
    defined for any generator; the truth is uniform over centres.
    """
    distance, centre = nearest_centre(samples, centres)
    good = distance <= REACH_SIGMAS * sigma
    counts = histogram(centre, len(centres))
    uniform = counts.new_ones(len(centres))
    return {
        "modes": _modes(centre, good, len(centres)),
        "high_quality": mean_estimate(good.double()),
        "reverse_kl": histogram_estimate(lambda c: reverse_kl(c, uniform), counts),
    }


def _modes(centre: Tensor, good: Tensor, size: int) -> Estimate:
    """Modes among samples of high quality; the others are one more bin that covers nothing."""
    counts = histogram(torch.where(good, centre, size), size + 1)
    return histogram_estimate(lambda c: modes_covered(c[..., :size]), counts)
