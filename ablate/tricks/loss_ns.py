"""The non-saturating loss."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from ablate.trick import Step, Trick


class LossNs(Trick):
    """D tells real from fake by cross-entropy, and G raises log D(G(z)); this is the baseline.

    E sp(-r) + E sp(f) for D, E sp(-f) for G, on logits, sp(u) = log(1 + e^u): the halves of D's
    loss are summed, not averaged. The probability form (a sigmoid and cross-entropy whose
    logarithm is clamped) loses the gradient of confident samples; logits keep it.

    Source: Goodfellow et al. 2014, arXiv 1406.2661, section 3; GAN hacks, number 2.
    """

    group = "adversarial loss"
    neutral = {}
    traits = frozenset({"adversary_loss", "soft_targets", "hard_targets", "separable", "anchored"})

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        if step.player == "G":
            return bce(step.fake.logits, step.fake.target, reduction="none")
        return step.sum_sides(lambda s: bce(s.logits, s.target, reduction="none"))
