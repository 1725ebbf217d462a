"""Decay of the learning rates."""

import math
from typing import cast

from torch import Tensor

from ablate.trick import Gan, Optimizer, Player, Step, Strength, Trick, choice, number


class LrDecay(Trick):
    """Both learning rates fall from their value to a fraction of it at the end of the budget.

    With u = (t - start) / (1 - start) cut to [0, 1] at the share t of the budget, the rate is
    multiplied by 1 - (1 - end) u (linear), end + (1 - end) (1 + cos(pi u)) / 2 (cosine), or end^u
    (exponential). A rate is written when its player has moved, for the next move.

    Source: linear to 0 as in Gulrajani et al. 2017, arXiv 1704.00028, appendix F, and Lee and Town
    2020, arXiv 2005.02494 (mimicry); cosine of Loshchilov and Hutter 2017, arXiv 1608.03983.
    """

    group = "schedule and averaging"
    neutral = {"end": 1.0}
    cheap = True

    kind: str = choice("linear", "cosine", "exponential")
    start: Strength = number(0, 1)
    end: Strength = number(0, 1)
    first_g: Tensor
    first_d: Tensor

    def build(self, gan: Gan) -> None:
        """Remember the rates that all other tricks have set."""
        self.register_buffer("first_g", optimizer(gan, "G").lr.clone())
        self.register_buffer("first_d", optimizer(gan, "D").lr.clone())

    def settle(self, step: Step) -> None:
        """Write the rate of the player's next move."""
        t = (step.at.clock + 1).double() / step.gan.feed.rounds
        first = self.first_g if step.player == "G" else self.first_d
        optimizer(step.gan, step.player).edit(lr=first * self.factor(t))

    def factor(self, t: Tensor) -> Tensor:
        """Return what the rate is multiplied by, [K], at the share t [K] of the budget."""
        start, end = self.start.double(), self.end.double()
        u = ((t - start) / (1 - start).clamp(min=1e-9)).clamp(0, 1)
        if self.kind == "linear":
            return 1 - (1 - end) * u
        if self.kind == "cosine":
            return end + (1 - end) * (1 + (math.pi * u).cos()) / 2
        return end**u


def optimizer(gan: Gan, player: Player) -> Optimizer:
    """Return the player's optimiser."""
    return cast(Optimizer, gan.optimizers[player])
