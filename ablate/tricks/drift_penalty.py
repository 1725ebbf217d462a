"""A pull of real scores to zero."""

from torch import Tensor

from ablate.trick import Step, Strength, Trick, number


class DriftPenalty(Trick):
    """D pays for the square of its scores on real images, so that they do not drift.

    strength * E r^2 in D's turn. It gives a zero level to losses that only see differences
    (Wasserstein, relativistic), whose scores could wander as one.

    Source: Karras et al. 2017, arXiv 1710.10196, appendix A.1 (0.001).
    """

    group = "discriminator regularisers"
    neutral = {"strength": 0.0}
    traits = frozenset({"anchored"})

    strength: Strength = number(0)

    def penalty(self, step: Step) -> Tensor | None:
        """Return [K]; in D's turns that see real images."""
        if step.player == "G" or "real" not in step.turn.sides:
            return None
        return self.strength * step.real.logits.square().mean(1)
