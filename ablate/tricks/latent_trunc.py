"""The truncation trick."""

import math

import torch
from torch import Tensor

from ablate.trick import Moment, Strength, Trick, like, number


class LatentTrunc(Trick):
    """Samples to be scored are drawn from a normal distribution cut off at +-tau; training is not.

    Components of z outside are, in the paper, drawn again until they fall inside; here the inverse
    CDF of the truncated normal maps the same draw into it, which is the same distribution without a
    loop: sqrt 2 erfinv(erf(z / sqrt 2) erf(tau / sqrt 2)). Small tau trades recall for precision.
    Normalisation statistics are measured under the same truncation, as the paper does.

    Source: Brock et al. 2019, arXiv 1809.11096, section 3.1 and appendix E.
    """

    group = "sampling"
    rank = -1  # cuts the normal draw, before `latent` makes another distribution of it
    neutral = {"tau": None}
    cheap = True
    doubts = {
        "shaped_latent": "the normal draw is cut off before it is made into another distribution",
        "g_noise": "G draws noise of its own at evaluation, which truncation does not reach",
    }

    tau: Strength = number(0.01, off=math.inf)

    def latent(self, z: Tensor, at: Moment) -> Tensor:
        """Return [K, B, Z], cut off at evaluation."""
        if "evaluation" not in at.path:
            return z
        tau = like(self.tau, z)
        inside = (tau * math.sqrt(0.5)).erf()
        cut = ((z * math.sqrt(0.5)).erf() * inside).erfinv() * math.sqrt(2)
        return torch.where(tau.isinf(), z, cut)
