"""Gradient clipping."""

import math

from torch import Tensor

from ablate.trick import Step, Strength, Trick, choice, like, number


class GradClip(Trick):
    """A gradient that is too long is shortened, or each of its entries is cut.

    g * min(1, limit / |g|) over all parameters of a player (`kind=norm`), or each entry cut to
    [-limit, limit] (`kind=value`). The norm is a trial's own. Under Adam, which rescales gradients,
    it acts only through the history of their moments. Infinite (null) is off.

    Source: Pascanu et al. 2012, arXiv 1211.5063, algorithm 1.
    """

    group = "optimiser"
    rank = 9  # the last word on the gradient
    neutral = {"limit": None}
    cheap = True

    kind: str = choice("norm", "value")
    limit: Strength = number(1e-12, off=math.inf)
    nets: str = choice("both", "G", "D")

    def gradient(self, gradient: Tensor, step: Step) -> Tensor:
        """Return [K, P]."""
        if self.nets not in (step.player, "both"):
            return gradient
        limit = like(self.limit, gradient)
        if self.kind == "value":
            return gradient.clamp(-limit, limit)
        length: Tensor = gradient.norm(dim=1, keepdim=True)
        return gradient * (limit / length).clamp(max=1)
