"""Squared error on reals, cross-entropy on fakes."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from ablate.trick import Side, Step, Strength, Trick, choice, like, number


class LossSeed0(Trick):
    """D has squared error on reals and cross-entropy on fakes, as one tutorial proposes.

    balance * E (s(r) - 1)^2 + E sp(f) for D, s the sigmoid (`mse_on=prob`) or the identity
    (`mse_on=logit`). G: -E f (`g=linear`) or E sp(-f) (`g=ns`). The tutorial's text gives D's
    output itself as G's loss, which would have G help D; the sign is corrected here. Its code has
    cross-entropy on both halves, pixels as the real target, and ones for G: that is `g=ns`, and the
    pixels are a mistake. The two terms have different scales; `balance` is the weight of the first.
    With a target t for its fakes, G's linear loss is -(2 t - 1) f.

    Source: the tutorial "GAN optimisation", section 3.2, corrected; squared error as in Mao et al.
    2016, arXiv 1611.04076; cross-entropy as in Goodfellow et al. 2014, arXiv 1406.2661.
    """

    group = "adversarial loss"
    traits = frozenset({"adversary_loss", "soft_targets", "hard_targets", "separable", "anchored"})

    mse_on: str = choice("prob", "logit")
    g: str = choice("linear", "ns")
    balance: Strength = number(0)

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        if step.player == "D":
            return step.sum_sides(self.side)
        f, target = step.fake.logits, step.fake.target
        if self.g == "linear":
            return -(2 * target - 1) * f
        return bce(f, target, reduction="none")

    def side(self, side: Side) -> Tensor:
        """Return D's term [K, U] for one side."""
        if side.name == "fake":
            return bce(side.logits, side.target, reduction="none")
        score = side.logits.sigmoid() if self.mse_on == "prob" else side.logits
        return like(self.balance, score) * (score - side.target).square()
