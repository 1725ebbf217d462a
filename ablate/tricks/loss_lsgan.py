"""The least-squares loss."""

from torch import Tensor

from ablate.trick import Side, Step, Strength, Trick, choice, like, number


class LossLsgan(Trick):
    """D regresses its score on a code for each class, and G pulls fakes to a code of its own.

    (E (r - b)^2 + E (f - a)^2) / 2 for D, E (f - c)^2 / 2 for G. Codes (a, b, c) are (0, 1, 1), or
    (-1, 1, 0), with which the sum is Pearson's chi-square. `score=logit` takes the last layer as
    it is, as the paper does; `score=prob` puts a sigmoid before it, as some libraries do. A target
    t between 0 and 1 stands for a + t (b - a) in D's turn and a + t (c - a) in G's.

    Source: Mao et al. 2016, arXiv 1611.04076, equations 2 and 9.
    """

    group = "adversarial loss"
    traits = frozenset({"adversary_loss", "soft_targets", "hard_targets", "separable", "anchored"})

    a: Strength = number()
    b: Strength = number()
    c: Strength = number()
    score: str = choice("logit", "prob")

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        if step.player == "G":
            return self.half_square(step.fake, self.c)
        return step.sum_sides(lambda s: self.half_square(s, self.b))

    def half_square(self, side: Side, one: Tensor) -> Tensor:
        """Return (score - code)^2 / 2, where `one` [K] is the code of target 1."""
        score = side.logits.sigmoid() if self.score == "prob" else side.logits
        a, one = like(self.a, score), like(one, score)
        return (score - (a + side.target * (one - a))).square() / 2
