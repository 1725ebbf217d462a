"""The minimax loss."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from ablate.trick import Step, Trick


class LossMinimax(Trick):
    """G lowers log(1 - D(G(z))), exactly what D raises: the loss saturates where D is confident.

    E sp(-r) + E sp(f) for D, -E sp(f) for G: with a target t for G's fakes, minus the cross-entropy
    of 1 - t. G's gradient vanishes as D(G(z)) -> 0, which makes this a control for vanishing
    gradients.

    Source: Goodfellow et al. 2014, arXiv 1406.2661, equation 1; Arjovsky and Bottou 2017, arXiv
    1701.04862, theorem 2.4.
    """

    group = "adversarial loss"
    traits = frozenset({"adversary_loss", "soft_targets", "hard_targets", "separable", "anchored"})

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        if step.player == "G":
            return -bce(step.fake.logits, 1 - step.fake.target, reduction="none")
        return step.sum_sides(lambda s: bce(s.logits, s.target, reduction="none"))
