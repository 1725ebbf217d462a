"""Balance by the losses."""

import math

from torch import Tensor

from ablate.trick import Step, Strength, Trick, number


class LossGate(Trick):
    """A player whose loss is low waits for the other.

    D does not move while L_D < low_d, G not while L_G < low_g; null is never (minus infinity). The
    losses are the adversarial ones, without penalties; at the equilibrium of the textbook loss they
    are 2 ln 2 and ln 2, and thresholds mean something else under any other loss. GAN hacks shows
    this loop in order to advise against it, "unless you have a good reason": a negative control.

    Source: GAN hacks (Chintala et al. 2016), number 11, "don't balance loss via statistics".
    """

    group = "schedule and averaging"
    neutral = {"low_d": None, "low_g": None}
    doubts = {"two_moves_d": "each of D's two moves is gated by its own half of the loss"}

    low_d: Strength = number(off=-math.inf)
    low_g: Strength = number(off=-math.inf)

    def gate(self, step: Step) -> Tensor:
        """Return bool [K]; a loss that is not a number lets its player move."""
        low = self.low_d if step.player == "D" else self.low_g
        return ~(step.loss < low)
