"""The hinge loss."""

from torch import Tensor

from ablate.trick import Side, Step, Strength, Trick, like, number


class LossHinge(Trick):
    """D pays for scores inside a margin around zero; G raises the score of its fakes.

    E relu(m - r) + E relu(m + f) for D, -E f for G. Targets must be classes: a flipped label swaps
    the terms, and a smoothed one has no meaning.

    Source: Lim and Ye 2017, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957, equations
    16-17.
    """

    group = "adversarial loss"
    traits = frozenset({"adversary_loss", "hard_targets", "separable", "anchored"})

    margin: Strength = number(0)

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        if step.player == "G":
            return -step.fake.logits
        return step.sum_sides(self.side)

    def side(self, side: Side) -> Tensor:
        """Return D's term [K, U] for one side."""
        sign = 2 * side.target - 1
        return (like(self.margin, sign) - sign * side.logits).relu()
