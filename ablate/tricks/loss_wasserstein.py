"""The Wasserstein loss."""

from collections.abc import Iterator

from torch import Tensor

from ablate.trick import Others, Problem, Recipe, Step, Trick


class LossWasserstein(Trick):
    """D estimates a distance: E f - E r for D, -E f for G.

    The estimate is a distance only where D is Lipschitz: without clipping, a gradient penalty or
    spectral norm the critic is unbounded, which makes this a control for divergence.

    Source: Arjovsky et al. 2017, arXiv 1701.07875, equation 2 and algorithm 1.
    """

    group = "adversarial loss"
    traits = frozenset({"adversary_loss", "separable"})

    def adversary(self, step: Step) -> Tensor:
        """Return [K, U]."""
        if step.player == "G":
            return -step.fake.logits
        return step.sum_sides(lambda s: -s.logits if s.name == "real" else s.logits)

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Doubt a critic that nothing bounds."""
        marks = others.marks()
        if "lipschitz" not in marks and not {"r1", "r2"} <= marks.keys():
            yield Problem(
                False,
                "loss_wasserstein without weight_clip, gp_interp, spectral_norm or r1 with r2: the "
                "critic is unbounded; add one of them unless this is a control for divergence.",
            )
